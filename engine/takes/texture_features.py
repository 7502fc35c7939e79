"""Features of texture: pace, rhythm, steps, registers, chords, note lengths and dynamics of a take."""

from typing import Final

import numpy as np

from tatumflow.engine.takes.passage import NEAR_NOTES, Floats, Ints, Passage

TEXTURE_FEATURES: Final = (
    *("pace", "pace_squared", "chord_size", "chord_size_squared"),
    *("level", "level_squared", "velocity_spread", "velocity_step"),
    *("rhythm_entropy", "rhythm_change", "longest_interval"),
    *("short_intervals", "eighths", "quarters", "long_intervals"),
    *("top_repeats", "top_semitones", "top_tones", "top_thirds", "top_fifths", "top_leaps"),
    *("bottom_steps", "bottom_leaps", "turns"),
    *("register", "register_squared", "range"),
    *("bass", "low", "middle", "high", "highest"),
    *("pairs", "threes", "wide_chords", "narrow_chords"),
    *("sounding", "note_length", "note_length_spread", "rests"),
)
"""Pace, chord size, level, register, sounding notes and their length are differences from the notes before,
in logs, tens of velocities and octaves; the other shares and means are of the take alone."""

_INTERVAL_EDGES: Final = 0.016 * np.array([3, 5, 7, 9, 13, 19, 27, 39, 55, 79, 111, 157])
_RHYTHM_CLASSES: Final = np.array([0.0, 0.08, 0.18, 0.35, 0.8])
_STEP_CLASSES: Final = np.array([1, 2, 3, 5, 8, 13])
_SMALL, _OCTAVE = 2, 12
_REGISTERS: Final = np.array([43, 52, 64, 76, 84])
_WIDE, _NARROW = 16, 5
_EARLIER_INTERVALS: Final = 16
_VELOCITY_UNIT: Final = 10.0
_REST_SECONDS: Final = 0.5
_SHORTEST: Final = 0.02
_LEAST_SECONDS: Final = 0.5


def texture_features(passage: Passage) -> list[float]:
    """Return the features as `TEXTURE_FEATURES`."""
    return [
        *_pace(passage),
        *_dynamics(passage),
        *_rhythm(passage),
        *_steps(passage),
        *_registers(passage),
        *_chords(passage),
        *_lengths(passage),
    ]


def _pace(passage: Passage) -> list[float]:
    seconds, own = passage.seconds, passage.own
    earlier = len(seconds) - own
    pace = size = 0.0
    if earlier > 0:
        notes, before = len(passage.pitch), len(passage.context.pitch)
        rate = own / max(seconds[-1] - seconds[earlier - 1], _SHORTEST)
        pace = float(np.log(rate * max(seconds[earlier] - seconds[0], _LEAST_SECONDS) / earlier))
        size = float(np.log(notes / own) - np.log(before / earlier))
    return [pace, pace * pace, size, size * size]


def _dynamics(passage: Passage) -> list[float]:
    velocity = passage.velocity
    level = float(velocity.mean() - passage.context.velocity[-NEAR_NOTES:].mean()) / _VELOCITY_UNIT
    step = float(np.abs(np.diff(velocity)).mean()) if len(velocity) > 1 else 0.0
    return [level, level * level, float(velocity.std()) / _VELOCITY_UNIT, step / _VELOCITY_UNIT]


def _rhythm(passage: Passage) -> list[float]:
    intervals = passage.intervals
    if not len(intervals):
        return [0.0] * 7
    own = intervals[-passage.own :]
    counts = np.bincount(np.searchsorted(_INTERVAL_EDGES, intervals[-passage.own - _EARLIER_INTERVALS :]))
    shares = counts[counts > 0] / counts.sum()
    logs = np.log2(intervals[-passage.own - 1 :])
    change = float(np.abs(np.diff(logs)).mean()) if len(logs) > 1 else 0.0
    entropy = float(-(shares * np.log2(shares)).sum())
    return [entropy, change, float(np.log2(own.max())), *_shares(own, _RHYTHM_CLASSES)[1:]]


def _steps(passage: Passage) -> list[float]:
    top, bottom = (np.diff(voice)[-passage.own :] for voice in (passage.top, passage.bottom))
    if not len(top):
        return [0.0] * 9
    size, low = np.abs(top), np.abs(bottom)
    turns = float((top[1:] * top[:-1] < 0).mean()) if len(top) > 1 else 0.0
    shares = _shares(size, np.append(0, _STEP_CLASSES))
    return [
        *(*shares[:5], shares[6]),
        float((low <= _SMALL).mean()),
        float((low > _OCTAVE).mean()),
        turns,
    ]


def _registers(passage: Passage) -> list[float]:
    pitch = passage.pitch
    register = float(pitch.mean() - passage.context.pitch[-NEAR_NOTES:].mean()) / _OCTAVE
    shares = _shares(pitch, np.append(0, _REGISTERS))
    return [register, register * register, float(pitch.std()) / _OCTAVE, *shares[:3], *shares[4:]]


def _chords(passage: Passage) -> list[float]:
    sizes = passage.sizes[-passage.own :]
    span = (passage.top - passage.bottom)[-passage.own :]
    return [
        float((sizes == 2).mean()),
        float((sizes == 3).mean()),
        float((span > _WIDE).mean()),
        float(((span > 0) & (span <= _NARROW)).mean()),
    ]


def _lengths(passage: Passage) -> list[float]:
    onset, duration, context = passage.onset, passage.duration, passage.context
    before, length = context.onset[-NEAR_NOTES:], context.duration[-NEAR_NOTES:]
    logs = np.log(np.maximum(duration, _SHORTEST))
    rests = onset[1:] - np.maximum.accumulate(onset + duration)[:-1] > _REST_SECONDS
    return [
        float(np.log(_sounding(onset, duration) / _sounding(before, length))),
        float(logs.mean() - np.log(np.maximum(length, _SHORTEST)).mean()),
        float(logs.std()),
        float(rests.sum()),
    ]


def _shares(values: Floats | Ints, edges: Floats | Ints) -> list[float]:
    """Return the shares of values from each edge on to the next, and beyond the last, (len(edges),)."""
    counts = np.bincount(np.searchsorted(edges[1:], values, side="right"), minlength=len(edges))
    return (counts / len(values)).tolist()


def _sounding(onset: Floats, duration: Floats) -> float:
    """Return how many notes sound at once on average."""
    span = float((onset + duration).max() - onset[0])
    return max(float(duration.sum()), _SHORTEST) / max(span, _SHORTEST)
