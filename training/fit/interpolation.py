"""Linear interpolation of the weights of two checkpoints.

Weights between those before and after fine-tuning often keep most of what fine-tuning gained, and of what it
lost (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, section 3).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.training.fit.checkpoint import MODULE_PREFIX, read_checkpoint, weights_of
from tatumflow.training.fit.trainable import CHECKPOINT_KEY


def interpolate(first: Path, second: Path, share: float, out: Path) -> None:
    """Write a checkpoint with interpolated weights, to export or to start a run from.

    All else in it is the second's, and no run can be resumed from it. Of a run with averaged weights, the
    average is interpolated.

    Args:
        first: A checkpoint of `tatumflow train`.
        second: Another, of the same family, sizes and styles.
        share: Share of the second's weights, 0 to 1.
        out: File to write.

    Raises:
        CheckpointError: if one of them is no checkpoint.
        SettingError: if the two differ in family, sizes or styles, `share` is out of range, or `out` cannot
            be written.
    """
    if not 0.0 <= share <= 1.0:
        raise SettingError(f"share: {share} is outside the allowed range 0 to 1")
    a, b = _read(first), _read(second)
    if a.signature != b.signature:
        raise SettingError(
            f"{first} and {second} differ in family, sizes or styles; give two checkpoints of one run, or a "
            "run's and the one it started from"
        )
    between = {
        f"{MODULE_PREFIX}{name}": _between(a.weights[name], tensor, share)
        for name, tensor in b.weights.items()
    }
    content = {CHECKPOINT_KEY: b.identity, "global_step": b.steps, "state_dict": between}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(out) as partial:
            torch.save(content, partial)
    except (OSError, RuntimeError) as error:
        raise SettingError(f"{out}: cannot be written ({error}); give another file") from None


@dataclass(frozen=True)
class _Weights:
    identity: dict[str, Any]
    steps: int
    weights: dict[str, Tensor]

    @property
    def signature(self) -> tuple[object, ...]:
        shapes = {name: tuple(tensor.shape) for name, tensor in self.weights.items()}
        return self.identity["family"], shapes, self.identity.get("styles")


def _read(path: Path) -> _Weights:
    with read_checkpoint(path) as content:
        return _Weights(content[CHECKPOINT_KEY], int(content.get("global_step", 0)), weights_of(content))


def _between(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return interpolated float32 weights; the second tensor if it is not floating-point."""
    if not second.is_floating_point():
        return second
    return torch.lerp(first.float(), second.float(), share)
