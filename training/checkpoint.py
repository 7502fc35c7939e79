"""Trained models of any family out of checkpoints; nothing is unpickled but tensors and plain values."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from tatumflow.engine.errors import TatumFlowError
from tatumflow.training.ema import EMA_KEY
from tatumflow.training.families import Family, build_model, family_named
from tatumflow.training.module import CHECKPOINT_KEY

_MODULE_PREFIX: Final = "model."


class CheckpointError(TatumFlowError):
    """A checkpoint that cannot be read."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and what it says of itself.

    Attributes:
        family: Its family.
        model: With its averaged weights where the run kept an average, on the CPU in evaluation mode.
        max_seq_len: Steps it can look back on.
        styles: Slug of each row of the style table; row 0 is the empty string.
        steps: Optimizer steps it was trained for.
        corpora: Names of the corpora it was trained on; empty for all of the packed ones.
        earlier: Whether its run began with the weights of another run or of a bundle.
    """

    family: Family
    model: nn.Module
    max_seq_len: int
    styles: tuple[str, ...]
    steps: int
    corpora: tuple[str, ...]
    earlier: bool


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a checkpoint that `tatumflow train` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or of a family that is not known.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        identity = content[CHECKPOINT_KEY]
        family = family_named(identity["family"])
        model = build_model(family.name, identity["model"])
        model.load_state_dict(_weights(content))
        return Checkpoint(
            family,
            model.float().eval(),
            int(identity["model"]["max_seq_len"]),
            ("", *identity["styles"]),
            int(content.get("global_step", 0)),
            tuple(identity["config"].get("data", {}).get("corpora", ())),
            bool(identity["config"].get("run", {}).get("start_from")),
        )
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such checkpoint; give one that `tatumflow train` wrote") from None
    except TatumFlowError as error:
        raise CheckpointError(f"{path}: {error}") from None
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
        raise CheckpointError(f"{path}: not a checkpoint of `tatumflow train` ({reason})") from None


def _weights(content: dict[str, Any]) -> dict[str, Tensor]:
    if EMA_KEY in content:
        return content[EMA_KEY]
    return {
        name.removeprefix(_MODULE_PREFIX): tensor
        for name, tensor in content["state_dict"].items()
        if name.startswith(_MODULE_PREFIX)
    }
