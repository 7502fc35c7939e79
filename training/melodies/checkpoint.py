"""Checkpoints of models of melodies."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.training.fit.checkpoint import CheckpointError, checkpoint_file, read_checkpoint, trained_model
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.melodies.fit.settings import MelodyConfig
from tatumflow.training.models.music_vae.model import MusicVae


@dataclass(frozen=True)
class TrainedMelodies:
    """A trained model of melodies.

    Attributes:
        model: With its averaged weights where the run kept an average, on the CPU in evaluation mode.
        steps: Optimizer steps it was trained for.
        config: Configuration of its run.
    """

    model: MusicVae
    steps: int
    config: MelodyConfig


def open_melodies(path: Path) -> TrainedMelodies:
    """Open a checkpoint of a model of melodies, which `tatumflow train` wrote, or the best one of a run.

    Raises:
        CheckpointError: if the file is missing, damaged, or of another family.
    """
    with read_checkpoint(checkpoint_file(path)) as content:
        identity = content[CHECKPOINT_KEY]
        model = trained_model(content)
        if not isinstance(model, MusicVae):
            raise CheckpointError(f"family {identity['family']!r} encodes no melodies")
        config = MelodyConfig.model_validate(identity["config"])
        return TrainedMelodies(model, int(content.get("global_step", 0)), config)
