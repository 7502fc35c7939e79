"""Theory features of phrases in four parts: harmony, melody, rhythm and dynamics.

Every value has a size of about 0 to 1. Histograms are square roots of shares, so that the distance of two is
Hellinger's; an empty one is all zeros. The same function serves training, the engine and the evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.chords import CHORD_TONES, QUALITIES
from tatumflow.engine.midi.notes import Note, fold_pitch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHORD_SECONDS: Final = 0.03
"""Seconds between onsets below which notes count as struck together."""

_PITCH_CLASSES: Final = 12
_BASS_BELOW: Final = 56
_MIDDLE: Final = 60
_TWO_OCTAVES: Final = 24
_LONGEST_WEIGHT: Final = 2.0
_INTERVALS: Final = 12
_QUARTERS: Final = 4
_SHORTEST, _LONGEST = 0.03, 4.0
_IOI_BINS: Final = 16
_RATIO_BINS: Final = 8
_DURATION_BINS: Final = 8
_CHORD_SIZES: Final = 4
_PERIODS: Final = np.geomspace(0.2, 0.8, 8)
_SWING: Final = (1.4, 2.6)
_VELOCITY_BINS: Final = 8
_VELOCITY_RANGE: Final = 128.0
_TINY: Final = 1e-9
_TONES: Final = CHORD_TONES[1:].astype(np.float64)
_CHORD_DIRECTIONS: Final = (_TONES / np.linalg.norm(_TONES, axis=1, keepdims=True)).T


@dataclass(frozen=True)
class Part:
    """A part of the features: its name and its place in the vector."""

    name: str
    start: int
    size: int

    @property
    def slice(self) -> slice:
        """Its place in a feature vector."""
        return slice(self.start, self.start + self.size)


def _parts(**sizes: int) -> tuple[Part, ...]:
    starts = np.cumsum([0, *sizes.values()]).tolist()
    return tuple(Part(name, start, size) for (name, size), start in zip(sizes.items(), starts, strict=False))


PARTS: Final = _parts(
    harmony=3 * _PITCH_CLASSES + len(QUALITIES),
    melody=2 * _INTERVALS + 1 + 3 + _QUARTERS + 5,
    rhythm=_IOI_BINS + _RATIO_BINS + _CHORD_SIZES + _DURATION_BINS + 3 + len(_PERIODS) + 2,
    dynamics=_VELOCITY_BINS + 6,
)
"""Harmony, melody, rhythm, dynamics, in the order of the vector."""

NUM_FEATURES: Final = sum(part.size for part in PARTS)


def phrase_features(
    onset: Floats, duration: Floats, pitch: Ints, velocity: Ints, phrase: Ints, count: int
) -> NDArray[np.float32]:
    """Return the features of `count` phrases, (count, NUM_FEATURES).

    Args:
        onset: Seconds, ascending within a phrase, (n,).
        duration: Seconds, (n,).
        pitch: MIDI pitches, (n,).
        velocity: MIDI velocities; 0 where unknown, (n,).
        phrase: Index of each note's phrase, ascending, (n,).
        count: Number of phrases; one without a note gets zeros.
    """
    notes = _Phrases(onset, duration, pitch, velocity, phrase, count)
    parts = (notes.harmony(), notes.melody(), notes.rhythm(), notes.dynamics())
    return np.concatenate(parts, axis=1).astype(np.float32)


def relative_to_key(features: NDArray[np.float32], key: Ints | int) -> NDArray[np.float32]:
    """Return features (..., NUM_FEATURES) with their harmony moved from their keys, 0 to 11, (...), to C."""
    places = np.arange(NUM_FEATURES) + np.zeros((*features.shape[:-1], 1), np.int64)
    classes = (np.arange(_PITCH_CLASSES) + np.asarray(key)[..., None]) % _PITCH_CLASSES
    # Pitch classes, bass notes and roots; the qualities of chords have no key.
    for block in range(3):
        start = PARTS[0].start + block * _PITCH_CLASSES
        places[..., start : start + _PITCH_CLASSES] = start + classes
    return np.take_along_axis(features, places, axis=-1)


def notes_features(notes: Sequence[Note]) -> NDArray[np.float32]:
    """Return the features (NUM_FEATURES,) of one phrase of notes, in any order."""
    ordered = sorted(notes, key=lambda note: (note.onset, note.pitch))
    return phrase_features(*note_columns(ordered), np.zeros(len(notes), np.int64), 1)[0]


def note_columns(notes: Sequence[Note]) -> tuple[Floats, Floats, Ints, Ints]:
    """Return onsets and durations in seconds, pitches moved onto the keyboard, and velocities, each (n,)."""
    return (
        np.array([note.onset for note in notes], dtype=np.float64),
        np.array([note.duration for note in notes], dtype=np.float64),
        np.array([fold_pitch(note.pitch) for note in notes], dtype=np.int64),
        np.array([note.velocity for note in notes], dtype=np.int64),
    )


class _Phrases:
    """Notes of many phrases, and their onsets, each with one or more notes."""

    def __init__(
        self, onset: Floats, duration: Floats, pitch: Ints, velocity: Ints, phrase: Ints, count: int
    ) -> None:
        self.onset, self.duration, self.pitch = onset, duration, pitch
        self.velocity, self.phrase, self.count = velocity, phrase, count
        starts = np.ones(len(onset), dtype=bool)
        starts[1:] = (np.diff(phrase) != 0) | (np.diff(onset) >= CHORD_SECONDS)
        self.first = np.flatnonzero(starts)
        """Index of the first note of each onset, (g,)."""
        self.group = phrase[self.first]
        """Phrase of each onset, (g,)."""
        self.next = np.flatnonzero(np.diff(self.group) == 0)
        """Indices of onsets that another one of their phrase follows."""
        sizes = np.diff(self.first, append=len(onset))
        self.size = sizes
        self.top = np.maximum.reduceat(pitch, self.first) if len(onset) else pitch
        self.low = np.minimum.reduceat(pitch, self.first) if len(onset) else pitch
        self.ioi = np.maximum(np.diff(onset[self.first])[self.next], _TINY) if len(onset) else onset

    def histogram(self, phrase: Ints, index: Ints, bins: int, weight: Floats | None = None) -> Floats:
        """Return the square roots of the shares of each bin, (count, bins)."""
        flat = np.bincount(phrase * bins + index, weight, minlength=self.count * bins)
        counts = flat.reshape(self.count, bins)
        return np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), _TINY))

    def mean(self, phrase: Ints, value: Floats | Ints | NDArray[np.bool_]) -> Floats:
        """Return the mean of the values of each phrase, 0 where there are none, (count,)."""
        number = np.bincount(phrase, minlength=self.count)
        return np.bincount(phrase, value, minlength=self.count) / np.maximum(number, 1)

    def harmony(self) -> Floats:
        """Pitch classes, bass notes, and how well chords on each root and of each class fit."""
        weight = np.minimum(self.duration, _LONGEST_WEIGHT)
        classes = self.histogram(self.phrase, self.pitch % _PITCH_CLASSES, _PITCH_CLASSES, weight)
        deep = self.low < _BASS_BELOW
        bass = self.histogram(self.group[deep], self.low[deep] % _PITCH_CLASSES, _PITCH_CLASSES)
        # Cosine of the profile with the tones of every chord: (count, roots, qualities).
        fit = (classes @ _CHORD_DIRECTIONS).reshape(self.count, _PITCH_CLASSES, len(QUALITIES))
        return np.concatenate([classes, bass, fit.max(axis=2), fit.max(axis=1)], axis=1)

    def melody(self) -> Floats:
        """Intervals, contour and range of the skyline, the highest note of every onset."""
        step = np.diff(self.top)[self.next]
        phrase = self.group[self.next]
        intervals = self.histogram(
            phrase, np.clip(step, -_INTERVALS, _INTERVALS) + _INTERVALS, 2 * _INTERVALS + 1
        )
        directions = [self.mean(phrase, direction) for direction in (step > 0, step < 0, step == 0)]
        number = np.bincount(self.group, minlength=self.count)
        place = np.arange(len(self.group)) - (np.cumsum(number) - number)[self.group]
        share = place / np.maximum(number, 1)[self.group]
        centre = self.mean(self.group, self.top)
        height = (self.top - centre[self.group]) / _PITCH_CLASSES
        quarter = (share * _QUARTERS).astype(np.int64)
        cell = self.group * _QUARTERS + quarter
        filled = np.bincount(cell, minlength=self.count * _QUARTERS)
        quarters = np.bincount(cell, height, minlength=self.count * _QUARTERS) / np.maximum(filled, 1)
        slope = self.mean(self.group, height * (share - 0.5)) * 4
        spread = np.sqrt(self.mean(self.group, height**2))
        ends = [
            _by_phrase(reduce, self.pitch, self.phrase, self.count) for reduce in (np.minimum, np.maximum)
        ]
        present = number > 0
        scaled = [np.where(present, (value - _MIDDLE) / _TWO_OCTAVES, 0.0) for value in (*ends, centre)]
        return np.concatenate(
            [
                intervals,
                np.stack(directions, axis=1),
                quarters.reshape(self.count, _QUARTERS),
                np.stack([slope, spread, *scaled], axis=1),
            ],
            axis=1,
        )

    def rhythm(self) -> Floats:
        """Inter-onset times, their ratios, chord sizes, durations, density, pulse, swing, syncopation."""
        phrase = self.group[self.next]
        ioi = self.histogram(phrase, _log_bin(self.ioi, _IOI_BINS), _IOI_BINS)
        pairs = np.flatnonzero(np.diff(self.next) == 1)
        ratio = np.log2(self.ioi[pairs] / self.ioi[pairs + 1]) if len(self.ioi) else self.ioi
        bins = np.clip((ratio + 2) / 4 * _RATIO_BINS, 0, _RATIO_BINS - 1).astype(np.int64)
        ratios = self.histogram(phrase[pairs], bins, _RATIO_BINS)
        sizes = self.histogram(self.group, np.minimum(self.size, _CHORD_SIZES) - 1, _CHORD_SIZES)
        durations = self.histogram(self.phrase, _log_bin(self.duration, _DURATION_BINS), _DURATION_BINS)
        seconds = np.maximum(np.bincount(phrase, self.ioi, minlength=self.count), 0.1)
        onsets = np.bincount(self.group, minlength=self.count)
        notes = np.bincount(self.phrase, minlength=self.count)
        density = [np.log1p(number / seconds) / 3 for number in (notes, onsets)]
        following = self.first[self.next]
        articulation = np.clip(np.log2(self.duration[following] / self.ioi), -3, 3) / 3
        # How sharply the onsets fall on a pulse of each period (the length of the mean phasor), and the share
        # of onsets off the sharpest pulse.
        turns = self.onset[self.first][:, None] / _PERIODS
        phasor = np.exp(2j * np.pi * turns)
        sums = np.zeros((self.count, len(_PERIODS)), dtype=np.complex128)
        np.add.at(sums, self.group, phasor)
        clarity = np.abs(sums) / np.maximum(onsets, 1)[:, None]
        best = clarity.argmax(axis=1)
        pulse = np.angle(sums[np.arange(self.count), best])
        chosen = phasor[np.arange(len(self.group)), best[self.group]] * np.exp(-1j * pulse[self.group])
        off_pulse = self.mean(self.group, np.real(chosen) < 0)
        long_short = (2.0**ratio > _SWING[0]) & (2.0**ratio < _SWING[1])
        swing = self.mean(phrase[pairs], long_short)
        return np.concatenate(
            [
                ioi,
                ratios,
                sizes,
                durations,
                np.stack([*density, self.mean(phrase, articulation)], axis=1),
                clarity,
                np.stack([swing, off_pulse], axis=1),
            ],
            axis=1,
        )

    def dynamics(self) -> Floats:
        """Velocities: histogram, mean, spread, slope, accents, the skyline's lead; zeros where unknown."""
        known = self.velocity > 0
        phrase, velocity = self.phrase[known], self.velocity[known] / _VELOCITY_RANGE
        bins = self.histogram(phrase, (velocity * _VELOCITY_BINS).astype(np.int64), _VELOCITY_BINS)
        centre = self.mean(phrase, velocity)
        off = velocity - centre[phrase]
        spread = np.sqrt(self.mean(phrase, off**2))
        number = np.bincount(phrase, minlength=self.count)
        place = np.arange(len(phrase)) - (np.cumsum(number) - number)[phrase]
        slope = self.mean(phrase, off * (place / np.maximum(number, 1)[phrase] - 0.5)) * 12
        accents = self.mean(phrase, off > np.maximum(spread, _TINY)[phrase])
        group = np.repeat(np.arange(len(self.first)), self.size)[known]
        lead = self.pitch[known] == self.top[group]
        difference = _difference(phrase, off, lead, self.count)
        present = (number > 0).astype(np.float64)
        figures = np.stack([centre, 4 * spread, slope, accents, 4 * difference, present], axis=1)
        return np.concatenate([bins, figures], axis=1)


def _by_phrase(reduce: np.ufunc, value: Ints, phrase: Ints, count: int) -> Floats:
    start = np.full(count, np.inf if reduce is np.minimum else -np.inf)
    reduce.at(start, phrase, value)
    return start


def _difference(phrase: Ints, value: Floats, chosen: NDArray[np.bool_], count: int) -> Floats:
    """Return the mean of the chosen values minus that of the others, per phrase."""
    sums = [np.bincount(phrase[which], value[which], minlength=count) for which in (chosen, ~chosen)]
    numbers = [np.maximum(np.bincount(phrase[which], minlength=count), 1) for which in (chosen, ~chosen)]
    return sums[0] / numbers[0] - sums[1] / numbers[1]


def _log_bin(seconds: Floats, bins: int) -> Ints:
    place = np.log(np.maximum(seconds, _TINY) / _SHORTEST) / np.log(_LONGEST / _SHORTEST)
    return np.clip(place * bins, 0, bins - 1).astype(np.int64)
