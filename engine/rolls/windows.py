"""Sampling of rolls of any width, through windows as wide as the model was trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.decisions import Draw
from tatumflow.engine.rolls.key_plane import key_of_known, key_requested, with_key
from tatumflow.engine.rolls.levels import RollLevels
from tatumflow.engine.rolls.patches import KNOWN, PLANES, SIDES, Floats, cell_planes
from tatumflow.engine.rolls.roll import HELD, ONSET, SILENT, Roll, stray_held
from tatumflow.engine.rolls.sampler import RollSampler, RollSampling

_PATCH: Final = SIDES[0]

Known = NDArray[np.bool_]


@dataclass(frozen=True)
class RollModel:
    """A roll model that samples.

    Attributes:
        levels: Its levels.
        width: Steps of the rolls it was trained on, a multiple of 4.
        styles: Slug of each style id; 0 is the empty string, no style.
    """

    levels: RollLevels
    width: int
    styles: tuple[str, ...]

    @property
    def window(self) -> int:
        """Steps that are sampled at once: the trained width in whole patches."""
        return max(self.width // _PATCH, 1) * _PATCH


def fill_rolls(
    model: RollModel,
    rolls: Sequence[tuple[Roll, Known]],
    conditions: Sequence[RollConditions],
    sampling: RollSampling,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> list[Roll]:
    """Fill the unknown cells of rolls of one width.

    What is wider than the model's window is filled from left to right, half a window at a time: each window
    holds what is known on both sides of it, and what was filled before.

    Args:
        model: The model.
        rolls: Rolls, and which of their cells are known, (128, W) each.
        conditions: The conditions of each.
        sampling: Temperature, guidance, steps.
        seed: Seed of the draws.
        progress: Called with the number of steps that are known in all rolls.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    rng = np.random.default_rng(seed)
    sampler = RollSampler(model.levels, sampling, Draw(sampling.temperature, rng), rng)
    ids = np.stack([condition.ids() for condition in conditions])
    width = rolls[0][0].width
    planes = np.stack([cell_planes(roll.state, roll.velocity, known) for roll, known in rolls])
    trail = -width % _PATCH
    if trail:
        beyond = np.zeros((*planes.shape[:2], trail, PLANES), np.float32)
        beyond[..., KNOWN] = 1
        planes = np.concatenate([planes, beyond], axis=2)
    while (hidden := np.flatnonzero((planes[..., KNOWN] == 0).any(axis=(0, 1)))).size:
        if progress is not None:
            progress(int(hidden[0]))
        start, until = _window(hidden, planes.shape[2], model.window)
        part = planes[:, :, start : start + model.window].copy()
        later = part[:, :, until - start :, KNOWN] == 0
        filled = sampler.fill(with_key(part, _keys(part, conditions)), ids)
        # What lies beyond the half is sampled again, in the next window, with more after it.
        filled[:, :, until - start :][later] = 0
        planes[:, :, start : start + model.window] = filled
    if progress is not None:
        progress(width)
    return [_roll(filled[:, :width]) for filled in planes]


def sample_rolls(
    model: RollModel,
    width: int,
    conditions: Sequence[RollConditions],
    sampling: RollSampling,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> list[Roll]:
    """Sample rolls of `width` steps, one for each of the conditions; see `fill_rolls`."""
    empty = Roll.silent(width), np.zeros_like(Roll.silent(width).state, np.bool_)
    return fill_rolls(model, [empty] * len(conditions), conditions, sampling, seed, progress)


def _keys(planes: Floats, conditions: Sequence[RollConditions]) -> Floats:
    """Return how usual each pitch class is in each of the rolls, (B, 12): as requested, else as known."""
    weights = key_of_known(planes)
    for row, condition in enumerate(conditions):
        if condition.key:
            weights[row] = key_requested(condition.key)
    return weights


def _window(hidden: NDArray[np.int64], width: int, window: int) -> tuple[int, int]:
    """Return where the next window begins, and the step up to which what it fills is kept."""
    first, last = int(hidden[0]), int(hidden[-1]) + 1
    if width <= window:
        return 0, width
    whole = last - first <= 3 * window // 4
    lead = (window - (last - first)) // 2 if whole else window // 2
    start = min(max(first - lead, 0) // _PATCH * _PATCH, width - window)
    kept = last if whole or start + window >= last else max(start + 3 * window // 4, first + _PATCH)
    return start, min(kept, start + window)


def _roll(planes: Floats) -> Roll:
    """Return the roll of planes (128, W, PLANES); held cells that continue no note become silent."""
    state = np.where(planes[..., 0] > 0, ONSET, np.where(planes[..., 1] > 0, HELD, SILENT)).astype(np.int8)
    velocity = np.rint(planes[..., 2] * 127).astype(np.uint8)
    stray = stray_held(Roll(state, velocity))
    # A note that was held when the roll began sounds on from before it.
    stray &= ~np.logical_and.accumulate(state == HELD, axis=1)
    return Roll(np.where(stray, SILENT, state).astype(np.int8), velocity)
