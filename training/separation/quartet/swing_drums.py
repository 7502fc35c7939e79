"""Swing drums: ride pattern, hi-hat on two and four, feathered bass drum, comping snare, fills, crashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.training.data.corpora.wjazzd_beats import Beat
from tatumflow.training.separation.quartet.beat_notes import BeatNote, bars_of, beat_lengths, offbeat

KICK: Final = 36
SNARE: Final = 38
SIDE_STICK: Final = 37
PEDAL_HAT: Final = 44
CLOSED_HAT: Final = 42
RIDES: Final = (51, 59)
CRASHES: Final = (49, 57)
TOMS: Final = (50, 48, 45, 43, 41)
"""Keys of General MIDI percussion, the toms from high to low."""

_PHRASE_BARS: Final = 8
_FASTEST_SKIP: Final = 0.16
"""Shortest beat in seconds with eighths of the ride."""


@dataclass(frozen=True)
class Drummer:
    """A drummer's habits: probabilities from 0 to 1.

    Attributes:
        ride: Key of the cymbal; the closed hi-hat for some.
        skips: Ride eighths after two and four.
        extra_skips: Those after one and three.
        feathering: Bass drum beats.
        snare: Off-beats with a snare note.
        bombs: Off-beats with a bass drum accent.
        fills: Phrases that end in a fill.
        crashes: Choruses that begin with a crash.
    """

    ride: int
    skips: float
    extra_skips: float
    feathering: float
    snare: float
    bombs: float
    fills: float
    crashes: float


def draw_drummer(rng: np.random.Generator) -> Drummer:
    """Draw the habits of a drummer."""
    return Drummer(
        ride=int(rng.choice([*RIDES, CLOSED_HAT], p=[0.5, 0.35, 0.15])),
        skips=float(rng.uniform(0.6, 1.0)),
        extra_skips=float(rng.uniform(0.0, 0.25)),
        feathering=float(rng.choice([0.0, 0.5, 0.95])),
        snare=float(rng.uniform(0.1, 0.4)),
        bombs=float(rng.uniform(0.0, 0.12)),
        fills=float(rng.uniform(0.2, 0.8)),
        crashes=float(rng.uniform(0.2, 0.9)),
    )


def swing_drums(beats: Sequence[Beat], rng: np.random.Generator) -> list[BeatNote]:
    """Play time on every beat, by its place in the bar and its chorus, drawn from `rng`."""
    drummer = draw_drummer(rng)
    lengths = beat_lengths(beats)
    notes: list[BeatNote] = []
    for count, bar in enumerate(bars_of(beats)):
        if count % _PHRASE_BARS == _PHRASE_BARS - 1 and rng.random() < drummer.fills:
            notes += _fill(bar, lengths, rng)
        else:
            notes += _time(bar, lengths, drummer, rng)
        number = bar.start
        begins = number > 0 and beats[number].chorus != beats[number - 1].chorus
        if begins and rng.random() < drummer.crashes:
            notes += [BeatNote(number, 0.5, int(rng.choice(CRASHES)), 96), BeatNote(number, 0.3, KICK, 84)]
    return notes


def _time(bar: range, lengths: list[float], drummer: Drummer, rng: np.random.Generator) -> list[BeatNote]:
    notes: list[BeatNote] = []
    for place, number in enumerate(bar):
        off = number + offbeat(lengths[number])
        back = place % 2 == 1
        notes.append(BeatNote(number, 0.3, drummer.ride, 84 if back else 76))
        if lengths[number] > _FASTEST_SKIP and rng.random() < (
            drummer.skips if back else drummer.extra_skips
        ):
            notes.append(BeatNote(off, 0.2, drummer.ride, 68))
        if back:
            notes.append(BeatNote(number, 0.2, PEDAL_HAT, 78))
        if rng.random() < drummer.feathering:
            notes.append(BeatNote(number, 0.3, KICK, 38))
        if rng.random() < drummer.snare:
            notes.append(BeatNote(off, 0.2, SNARE, int(rng.integers(36, 80))))
        elif rng.random() < drummer.bombs:
            notes.append(BeatNote(off, 0.2, KICK, int(rng.integers(66, 90))))
        elif rng.random() < 0.03:
            notes.append(BeatNote(off, 0.2, SIDE_STICK, 70))
    return notes


def _fill(bar: range, lengths: list[float], rng: np.random.Generator) -> list[BeatNote]:
    """Play swung eighths down the drums, the hi-hat going on."""
    notes: list[BeatNote] = []
    drums = (SNARE, SNARE, *TOMS)
    at = int(rng.integers(2))
    for place, number in enumerate(bar):
        if place % 2 == 1:
            notes.append(BeatNote(number, 0.2, PEDAL_HAT, 78))
        for start in (float(number), number + offbeat(lengths[number])):
            if rng.random() < 0.8:
                notes.append(BeatNote(start, 0.2, drums[min(at, len(drums) - 1)], int(rng.integers(66, 98))))
            at += int(rng.random() < 0.5)
    return notes
