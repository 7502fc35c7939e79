"""Checkpoints of separation models."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.training.fit.checkpoint import CheckpointError, read_checkpoint, trained_model
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.tfswa_unet.model import TfswaUnet


@dataclass(frozen=True)
class TrainedSeparator:
    """A trained model.

    Attributes:
        model: With its averaged weights where the run kept an average, on the CPU in evaluation mode.
        steps: Optimizer steps it was trained for.
        source: Kind of its training recordings; see `SeparationData.source`.
    """

    model: TfswaUnet
    steps: int
    source: str


def open_separator(path: Path) -> TrainedSeparator:
    """Open a checkpoint of a separation model, which `tatumflow train` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or of another family.
    """
    with read_checkpoint(path) as content:
        identity = content[CHECKPOINT_KEY]
        model = trained_model(content)
        if not isinstance(model, TfswaUnet):
            raise CheckpointError(f"family {identity['family']!r} separates no recordings")
        source = identity["config"].get("data", {}).get("source", "folder")
        return TrainedSeparator(model, int(content.get("global_step", 0)), source)
