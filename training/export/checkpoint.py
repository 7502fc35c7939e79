"""Checkpoints that can be exported: those of a family with ONNX graphs."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.training.export.errors import ExportError
from tatumflow.training.fit.checkpoint import CheckpointError, open_checkpoint
from tatumflow.training.models.tatumflow.model import TatumFlow


@dataclass(frozen=True)
class TrainedModel:
    """A model ready for export.

    Attributes:
        model: The model with its averaged weights where the run kept an average, in evaluation mode.
        styles: Slug of each row of the style table; row 0 is the empty string.
        steps: Optimizer steps it was trained for.
        corpora: Names of the corpora it was trained on; empty for all of the packed ones.
        base: What training began with, such as the name of a bundle; empty for random weights.
    """

    model: TatumFlow
    styles: tuple[str, ...]
    steps: int
    corpora: tuple[str, ...]
    base: str = ""


def load_checkpoint(path: Path) -> TrainedModel:
    """Load the model of a training checkpoint on the CPU.

    Raises:
        ExportError: if the file is missing, damaged, or of a family that has no graphs.
    """
    try:
        checkpoint = open_checkpoint(path)
    except CheckpointError as error:
        raise ExportError(str(error)) from None
    model = checkpoint.model
    if not isinstance(model, TatumFlow):
        raise ExportError(
            f"{path}: family {checkpoint.family.name!r} has no graphs to export; give one of tatumflow"
        )
    base = "the weights of an earlier run" if checkpoint.earlier else ""
    return TrainedModel(model, checkpoint.styles, checkpoint.steps, checkpoint.corpora, base)
