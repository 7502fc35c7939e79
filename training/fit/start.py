"""Initial weights of a run from a bundle or checkpoint, and the choice of the parts to train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.errors import SettingError
from tatumflow.engine.theory.key import PITCH_CLASSES
from tatumflow.training.fit.checkpoint import read_checkpoint, trained_model
from tatumflow.training.models.bundle_weights import bundle_state
from tatumflow.training.models.tatumflow.model import TatumFlow


def start_from(model: nn.Module, path: Path, parts: Sequence[str] = ()) -> None:
    """Load weights into a model of the same family and sizes; parameters that they lack are not changed.

    Args:
        model: The model to train.
        path: A bundle's folder, whose int8 weights are dequantized, or a checkpoint.
        parts: Names of the model's parts to load; none means all.

    Raises:
        BundleError: if a folder is not a whole bundle.
        CheckpointError: if a file is not a checkpoint.
        SettingError: if sizes or families differ, or the model has no such part.
    """
    _check_parts(model, parts, "run.start_parts")
    state = _padded_for_keys(model, _state(model, path))
    chosen = {
        name: tensor for name, tensor in state.items() if not parts or name.partition(".")[0] in set(parts)
    }
    try:
        model.load_state_dict(chosen, strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise SettingError(f"run.start_from: {path} has other sizes than the run ({reason})") from None


_KEY_INPUTS: Final = ("decoder.phrase_input.weight", "decoder.phrase_condition.weight")


def _padded_for_keys(model: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with zero columns for the key, where the model is conditioned on it and they are not."""
    own = model.state_dict()
    grown = dict(state)
    for name in _KEY_INPUTS:
        if name in state and name in own and own[name].shape[1] == state[name].shape[1] + PITCH_CLASSES:
            grown[name] = F.pad(state[name], (0, PITCH_CLASSES))
    return grown


def train_only(model: nn.Module, parts: Sequence[str]) -> None:
    """Freeze all but the named parts of a model; none named means no freezing.

    A part of a part is named with dots, such as `decoder.heads.0`.

    Raises:
        SettingError: if the model has no such part.
    """
    modules = dict(model.named_modules())
    _check_parts(model, [part for part in parts if part not in modules or not part], "run.train_parts")
    model.requires_grad_(not parts)
    for part in parts:
        modules[part].requires_grad_(True)


def _check_parts(model: nn.Module, parts: Sequence[str], setting: str) -> None:
    known = [name for name, _ in model.named_children()]
    for part in parts:
        if part not in known:
            raise SettingError(f"{setting}: there is no part {part!r}; choose from {', '.join(known)}")


def _state(model: nn.Module, path: Path) -> dict[str, Tensor]:
    if path.is_dir():
        family = TatumFlow
        state = bundle_state(path)
    else:
        with read_checkpoint(path) as content:
            checkpoint = trained_model(content)
        family = type(checkpoint)
        state = checkpoint.state_dict()
    if not isinstance(model, family):
        raise SettingError(f"run.start_from: {path} is of another family than the run")
    return state
