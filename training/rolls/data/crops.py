"""Crops of sections as rolls, augmented, with the cells that are to be predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.conditions import RollConditions, density_id
from tatumflow.engine.rolls.grid import BEATS_PER_BAR, STEPS_PER_BEAT
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.key_plane import key_weights
from tatumflow.engine.rolls.notes import fill_cells
from tatumflow.engine.rolls.patches import SIDES
from tatumflow.engine.rolls.roll import SILENT, Roll
from tatumflow.training.rolls.data.sections import Section

_BAR: Final = STEPS_PER_BEAT * BEATS_PER_BAR
_OFF_BAR: Final = 0.25
"""Share of the hidden spans that need not begin or end with a bar."""

_REACH: Final = 256
"""Steps before a crop in which notes that sound on into it begin."""


@dataclass(frozen=True)
class CropSettings:
    """How crops are drawn.

    Attributes:
        width: Steps of a crop.
        pitch_shift: Greatest transposition in semitones, up or down.
        stretch: Greatest change of the tempo of free time, as a share.
        louder: Greatest change of all velocities, in MIDI steps.
        free: Share of the crops from the sections in free time.
        spans: Share of the crops in which only a span of steps is predicted, as when bars are filled or a
            beginning is continued; in the others everything is.
    """

    width: int
    pitch_shift: int = 0
    stretch: float = 0.0
    louder: int = 0
    free: float = 0.15
    spans: float = 0.5


class RollExample(NamedTuple):
    """A crop, in whole patches; steps beyond its width are silent and known."""

    state: NDArray[np.int8]
    """(128, W)."""
    velocity: NDArray[np.uint8]
    """(128, W)."""
    known: NDArray[np.bool_]
    """(128, W): cells that are not predicted."""
    conditions: NDArray[np.int64]
    """(CONDITIONS,)."""
    key: NDArray[np.float32]
    """How usual each pitch class is, (12,): among the known cells, or in the crop where none is known."""
    section: int
    """Number of its section."""


@dataclass(frozen=True)
class RollCrops:
    """The crops of a run; the seed and a crop's number give the crop.

    Attributes:
        beats: Sections on beats.
        free: Sections in free time.
        settings: How they are drawn.
        seed: Seed of the draws.
        count: Number of crops.
    """

    beats: Sequence[Section]
    free: Sequence[Section]
    settings: CropSettings
    seed: int
    count: int

    def __len__(self) -> int:
        return self.count

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All sections, those on beats first."""
        return (*self.beats, *self.free)

    @cached_property
    def _ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        beats, free = (
            np.cumsum([s.length for s in side], dtype=np.int64) for side in (self.beats, self.free)
        )
        return beats, free

    def __getitem__(self, number: int) -> RollExample:
        rng = np.random.default_rng((self.seed, number))
        settings = self.settings
        free = not self.beats or (bool(self.free) and rng.random() < settings.free)
        ends = self._ends[int(free)]
        index = int(np.searchsorted(ends, rng.integers(ends[-1]), side="right")) + free * len(self.beats)
        section = self.sections[index]
        roll = self._roll(section, rng)
        conditions = RollConditions(section.style, density_id(roll), section.grid).ids()
        known = np.zeros(roll.state.shape, np.bool_)
        if rng.random() < settings.spans:
            roll, known = hide_in(roll, *_span(settings.width, rng))
        sounding = (roll.state != SILENT) & (known | ~known.any())
        trail = ((0, 0), (0, -settings.width % SIDES[0]))
        return RollExample(
            np.pad(roll.state, trail),
            np.pad(roll.velocity, trail),
            np.pad(known, trail, constant_values=True),
            conditions,
            key_weights(sounding.sum(axis=1)[None])[0],
            index,
        )

    def _roll(self, section: Section, rng: np.random.Generator) -> Roll:
        settings = self.settings
        factor = 1.0
        if section.grid == "time":
            factor = float(np.exp(rng.uniform(-1, 1) * np.log1p(settings.stretch)))
        start = _start(section, round(settings.width / factor), rng)
        within = slice(
            *np.searchsorted(section.onset, (start - _REACH - 1, start + settings.width / factor + 1))
        )
        low, high = -settings.pitch_shift, settings.pitch_shift
        pitch = section.pitch[within] + int(rng.integers(low, high + 1))
        velocity = section.velocity[within]
        change = int(rng.integers(-settings.louder, settings.louder + 1))
        velocity = np.where(velocity > 0, np.clip(velocity + change, 1, 127), 0)
        on_roll = (pitch >= 0) & (pitch < 128)
        onset, end = (factor * (steps[within] - start) + _REACH for steps in (section.onset, section.end))
        whole = Roll.silent(_REACH + settings.width)
        fill_cells(whole, onset[on_roll], end[on_roll], pitch[on_roll], velocity[on_roll])
        return whole.crop(_REACH, _REACH + settings.width)


def hide_in(roll: Roll, start: int, stop: int) -> tuple[Roll, NDArray[np.bool_]]:
    """Return a roll as it has to be predicted in a span, and the cells that are known; see `hide`.

    In the span it is as it was; after it, notes that began in the span are silent.
    """
    hidden, known = hide(roll, start, stop)
    state = np.where(known, hidden.state, roll.state)
    return Roll(state, np.where(known, hidden.velocity, roll.velocity)), known


def _start(section: Section, width: int, rng: np.random.Generator) -> int:
    """Return a random first step: that of a bar where bars are known."""
    latest = max(section.length - width, 0)
    bars = section.bars[section.bars <= latest]
    return int(rng.choice(bars)) if len(bars) else int(rng.integers(latest + 1))


def _span(width: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return a random span of steps, of bars for the most part."""
    unit = 1 if rng.random() < _OFF_BAR else min(_BAR, width)
    units = width // unit
    length = int(rng.integers(1, max(units - 1, 1) + 1)) * unit
    start = int(rng.integers((width - length) // unit + 1)) * unit
    return start, min(start + length, width)
