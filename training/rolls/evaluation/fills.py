"""Filled spans of held-out rolls beside the real ones, and beside pasted unconditional samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.conditions import RollConditions, density_id
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.roll import Roll
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import RollModel, fill_rolls, sample_rolls
from tatumflow.training.evaluate.bootstrap import mean
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.rolls.data.crops import RollCrops
from tatumflow.training.rolls.evaluation.measures import MEASURES

BATCH: Final = 16
"""Rolls that are sampled together."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out rolls of one width.

    Attributes:
        rolls: The rolls.
        conditions: Their conditions.
        pieces: The name of the piece of each.
    """

    rolls: Sequence[Roll]
    conditions: Sequence[RollConditions]
    pieces: Sequence[str]

    @property
    def span(self) -> tuple[int, int]:
        """The span that is filled: the middle half, in whole bars of 16 steps where it has four."""
        width = self.rolls[0].width
        unit = 16 if width >= 64 else 4
        return width // 4 // unit * unit, 3 * width // 4 // unit * unit


def held_out_rolls(crops: RollCrops, count: int) -> HeldOut:
    """Return the first rolls of some crops that have notes in all four quarters."""
    rolls: list[Roll] = []
    conditions: list[RollConditions] = []
    pieces: list[str] = []
    for number in range(len(crops)):
        if len(rolls) == count:
            break
        example = crops[number]
        roll = Roll(example.state, example.velocity).crop(0, crops.settings.width)
        quarters = np.array_split((roll.state == 1).any(axis=0), 4)
        if all(quarter.any() for quarter in quarters):
            section = crops.sections[example.section]
            rolls.append(roll)
            conditions.append(RollConditions(section.style, density_id(roll), section.grid))
            pieces.append(section.name)
    return HeldOut(rolls, conditions, pieces)


def fill_figures(model: RollModel, held: HeldOut, sampling: RollSampling, seed: int) -> Figures:
    """Return each measure of the real spans, the filled and the pasted, and how much nearer fills are.

    The last is the mean over the rolls of a paste's distance from the real span's value less the fill's. A
    pasted span is that of an unconditional sample, put between the same neighbours: what a model does that
    does not read them. The conditions of both are the real roll's style and grid.
    """
    start, stop = held.span
    filled = _filled(model, held, sampling, seed)
    pasted = _pasted(model, held, sampling, seed)
    figures: Figures = {}
    for name, measure in MEASURES.items():
        values = {
            kind: np.array([measure(roll, start, stop) for roll in rolls])
            for kind, rolls in (("real", held.rolls), ("filled", filled), ("pasted", pasted))
        }
        real = values["real"]
        values["nearer"] = np.abs(values["pasted"] - real) - np.abs(values["filled"] - real)
        figures[name] = {kind: _mean(rows, held.pieces, seed) for kind, rows in values.items()}
    return figures


def _mean(rows: NDArray[np.float64], pieces: Sequence[str], seed: int) -> Figures:
    """Return the mean of those that are numbers, with its interval over pieces."""
    known = ~np.isnan(rows)
    groups = [piece for piece, kept in zip(pieces, known, strict=True) if kept]
    return value_and_interval(mean(rows[known], groups=groups, seed=seed))


def _filled(model: RollModel, held: HeldOut, sampling: RollSampling, seed: int) -> list[Roll]:
    start, stop = held.span
    found: list[Roll] = []
    for first in range(0, len(held.rolls), BATCH):
        part = slice(first, first + BATCH)
        hidden = [hide(roll, start, stop) for roll in held.rolls[part]]
        seen = [
            replace(condition, density=density_id(roll, known))
            for (roll, known), condition in zip(hidden, held.conditions[part], strict=True)
        ]
        found += fill_rolls(model, hidden, seen, sampling, seed + first)
    return found


def _pasted(model: RollModel, held: HeldOut, sampling: RollSampling, seed: int) -> list[Roll]:
    start, stop = held.span
    found: list[Roll] = []
    for first in range(0, len(held.rolls), BATCH):
        part = slice(first, first + BATCH)
        free = [replace(condition, density=0) for condition in held.conditions[part]]
        sampled = sample_rolls(model, held.rolls[0].width, free, sampling, seed + first)
        for roll, one in zip(held.rolls[part], sampled, strict=True):
            outside, known = hide(roll, start, stop)
            state = np.where(known, outside.state, one.state)
            found.append(Roll(state, np.where(known, outside.velocity, one.velocity)))
    return found
