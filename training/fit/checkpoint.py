"""Trained models of any family from checkpoints; only tensors and plain values are unpickled."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from tatumflow.engine.errors import TatumFlowError
from tatumflow.training.fit.ema import EMA_KEY
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models import NoteFamily, build_model, note_family_named

MODULE_PREFIX: Final = "model."
"""Where the Lightning module holds the model: names of weights in `state_dict` begin with it."""


class CheckpointError(TatumFlowError):
    """A checkpoint that cannot be read."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model that predicts notes, and its metadata.

    Attributes:
        family: Its family.
        model: The model on the CPU in evaluation mode, with averaged weights where the run kept an average.
        max_seq_len: Its attention window in steps.
        styles: Slug of each row of the style table; row 0 is the empty string.
        steps: Optimizer steps of its training.
        corpora: Names of the corpora it was trained on; empty for all packed ones.
        earlier: Whether its run started from the weights of another run or of a bundle.
    """

    family: NoteFamily
    model: nn.Module
    max_seq_len: int
    styles: tuple[str, ...]
    steps: int
    corpora: tuple[str, ...]
    earlier: bool


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a checkpoint of a model that predicts notes, which `tatumflow train` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or of a family that is unknown or predicts no notes.
    """
    with read_checkpoint(path) as content:
        identity = content[CHECKPOINT_KEY]
        family = note_family_named(identity["family"])
        return Checkpoint(
            family,
            trained_model(content),
            int(identity["model"]["max_seq_len"]),
            ("", *identity["styles"]),
            int(content.get("global_step", 0)),
            tuple(identity["config"].get("data", {}).get("corpora", ())),
            bool(identity["config"].get("run", {}).get("start_from")),
        )


def checkpoint_file(path: Path) -> Path:
    """Return the best checkpoint of a run's folder, or its last without a best one; a file stays."""
    if not path.is_dir():
        return path
    best = path / "best.ckpt"
    return best if best.is_file() else path / "last.ckpt"


@contextmanager
def read_checkpoint(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a checkpoint's content, and turn errors of the block that reads it into `CheckpointError`.

    Raises:
        CheckpointError: if the file is missing or damaged, or the block finds an entry missing or invalid.
    """
    try:
        yield torch.load(path, map_location="cpu", weights_only=True)
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


def trained_model(content: dict[str, Any]) -> nn.Module:
    """Return the model of a checkpoint's content; see `Checkpoint.model`.

    Raises:
        SettingError: if its family is unknown.
        KeyError: if an entry is missing.
        RuntimeError: if the weights do not fit the model.
        pydantic.ValidationError: if the model's settings are not valid.
    """
    identity = content[CHECKPOINT_KEY]
    model = build_model(identity["family"], identity["model"])
    model.load_state_dict(weights_of(content))
    return model.float().eval()


def weights_of(content: dict[str, Any]) -> dict[str, Tensor]:
    """Return the weights by their names in the model, averaged where the run kept an average."""
    if EMA_KEY in content:
        return content[EMA_KEY]
    return {
        name.removeprefix(MODULE_PREFIX): tensor
        for name, tensor in content["state_dict"].items()
        if name.startswith(MODULE_PREFIX)
    }
