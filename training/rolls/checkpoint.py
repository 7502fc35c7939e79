"""Checkpoints of roll models."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.engine.rolls.windows import RollModel
from tatumflow.training.fit.checkpoint import CheckpointError, checkpoint_file, read_checkpoint, trained_model
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.fractal_midi.model import FractalMidi
from tatumflow.training.rolls.fit.settings import RollData
from tatumflow.training.rolls.torch_levels import TorchLevels


@dataclass(frozen=True)
class TrainedRolls:
    """A trained model.

    Attributes:
        model: With its averaged weights where the run kept an average, on the CPU in evaluation mode.
        data: Its training data.
        styles: Slug of each style id; 0 is the empty string.
        steps: Optimizer steps it was trained for.
    """

    model: FractalMidi
    data: RollData
    styles: tuple[str, ...]
    steps: int

    @property
    def sampled(self) -> RollModel:
        """The model for sampling."""
        return RollModel(TorchLevels(self.model), self.data.width, self.styles)


def open_rolls_checkpoint(path: Path) -> TrainedRolls:
    """Open a checkpoint of a roll model, which `tatumflow train` wrote, or the best one of a run.

    Raises:
        CheckpointError: if the file is missing, damaged, or of another family.
    """
    with read_checkpoint(checkpoint_file(path)) as content:
        identity = content[CHECKPOINT_KEY]
        model = trained_model(content)
        if not isinstance(model, FractalMidi):
            raise CheckpointError(f"family {identity['family']!r} samples no rolls")
        data = RollData.model_validate(identity["config"]["data"])
        styles = ("", *identity["styles"])
        return TrainedRolls(model, data, styles, int(content.get("global_step", 0)))
