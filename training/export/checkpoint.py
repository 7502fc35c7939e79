"""Trained models out of checkpoints, without unpickling anything but tensors and plain values."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from tatumflow.training.ema import EMA_KEY
from tatumflow.training.export.errors import ExportError
from tatumflow.training.families.tatumflow.config import TatumFlowConfig
from tatumflow.training.families.tatumflow.model import TatumFlow
from tatumflow.training.module import CHECKPOINT_KEY

_MODULE_PREFIX = "model."


@dataclass(frozen=True)
class TrainedModel:
    """A model ready for export.

    Attributes:
        model: The model with its averaged weights where the run kept an average, in evaluation mode.
        styles: Slug of each row of the style table; row 0 is the empty string.
        steps: Optimizer steps it was trained for.
        corpora: Names of the corpora it was trained on; empty for all of the packed ones.
    """

    model: TatumFlow
    styles: tuple[str, ...]
    steps: int
    corpora: tuple[str, ...]


def _weights(content: dict[str, Any]) -> dict[str, Tensor]:
    if EMA_KEY in content:
        return content[EMA_KEY]
    weights = content["state_dict"]
    return {
        name.removeprefix(_MODULE_PREFIX): tensor
        for name, tensor in weights.items()
        if name.startswith(_MODULE_PREFIX)
    }


def load_checkpoint(path: Path) -> TrainedModel:
    """Load the model of a training checkpoint on the CPU.

    Raises:
        ExportError: if the file is missing, damaged, or of a family that has no graphs.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        identity = content[CHECKPOINT_KEY]
        family, styles = identity["family"], ("", *identity["styles"])
        if family != "tatumflow":
            raise ExportError(f"{path}: family {family!r} has no graphs to export; give one of tatumflow")
        config = TatumFlowConfig.model_validate(identity["model"])
        model = TatumFlow(config)
        model.load_state_dict(_weights(content))
        corpora = tuple(identity["config"].get("data", {}).get("corpora", ()))
        steps = int(content.get("global_step", 0))
    except FileNotFoundError:
        raise ExportError(f"{path}: no such checkpoint; give one that `tatumflow train` wrote") from None
    except (
        OSError,
        EOFError,
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        ValidationError,
        pickle.UnpicklingError,
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ExportError(f"{path}: not a checkpoint of `tatumflow train` ({reason})") from None
    return TrainedModel(model.float().eval(), styles, steps, corpora)
