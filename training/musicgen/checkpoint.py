"""Trained MusicGen models: checkpoints, folders of runs, and exported models."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.training.fit.checkpoint import CheckpointError, checkpoint_file, read_checkpoint, trained_model
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.musicgen.config import MusicgenModelConfig
from tatumflow.training.models.musicgen.manifest import MUSICGEN_FILE
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.musicgen.settings import MusicgenData


@dataclass(frozen=True)
class TrainedMusicgen:
    """A trained model.

    Attributes:
        model: On the CPU in evaluation mode, with averaged weights where the run kept an average.
        data: The training data of its run; None of an exported model.
        seed: Seed of its run, which split the recordings.
        steps: Optimizer steps of its training.
        recordings: Names of its training recordings.
        seconds: Their length together.
    """

    model: Musicgen
    data: MusicgenData | None
    seed: int = 0
    steps: int = 0
    recordings: tuple[str, ...] = ()
    seconds: float = 0.0


def open_musicgen(path: Path) -> TrainedMusicgen:
    """Open a checkpoint that `tatumflow train` wrote, the folder of a run, or an exported model.

    Raises:
        CheckpointError: if a checkpoint is missing, damaged or of another family, or its pretrained model
            cannot be loaded.
        BundleError: if an exported model is damaged.
    """
    if (path / MUSICGEN_FILE).is_file():
        exported = MusicgenModelConfig(base=str(path), method="full")
        return TrainedMusicgen(Musicgen(exported).eval(), None)
    with read_checkpoint(checkpoint_file(path)) as content:
        identity = content[CHECKPOINT_KEY]
        model = trained_model(content)
        if not isinstance(model, Musicgen):
            raise CheckpointError(f"family {identity['family']!r} is not MusicGen")
        return TrainedMusicgen(
            model,
            MusicgenData.model_validate(identity["config"]["data"]),
            int(identity["config"]["run"]["seed"]),
            int(content.get("global_step", 0)),
            tuple(identity["recordings"]),
            float(identity["seconds"]),
        )


def evaluated_data(trained: TrainedMusicgen, corpus: Path | None) -> MusicgenData:
    """Return the recordings to measure a model on: those of a folder, or else the data of its run.

    Raises:
        SettingError: if there are neither.
    """
    if trained.data is None:
        if corpus is None:
            raise SettingError("--corpus: an exported model needs one; give a folder of recordings")
        return MusicgenData(recordings=corpus)
    return trained.data if corpus is None else trained.data.model_copy(update={"recordings": corpus})
