"""Accuracy of beats."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from mir_eval import beat
from numpy.typing import NDArray

TOLERANCE: Final = 0.07
"""Tolerance of a beat in seconds (Davies, Degara and Plumbley, 2009)."""

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class BeatAccuracy:
    """Accuracy of a performance's beats, each figure 0 to 1.

    Attributes:
        f_measure: F-measure of beats within `TOLERANCE`.
        octave: The best F-measure against the beats, twice as many, every second one (either half), or the
            off-beats.
        downbeat: F-measure of downbeats; NaN where they are unknown.
        constant: F-measure of the best grid of constant tempo within 4 % of the true median tempo.
    """

    f_measure: float
    octave: float
    downbeat: float
    constant: float


def f_measure(truth: _Array, found: _Array, tolerance: float = TOLERANCE) -> float:
    """Return the F-measure of events, matched one to one within `tolerance` seconds."""
    if not len(truth) or not len(found):
        return 0.0
    return float(beat.f_measure(truth, found, tolerance))


def within(truth: _Array, found: _Array) -> _Array:
    """Return those of `found` within the span of the true beats."""
    return found[(found >= truth[0] - TOLERANCE) & (found <= truth[-1] + TOLERANCE)]


def octave_f_measure(truth: _Array, found: _Array) -> float:
    """Return the best F-measure over metrical levels and off-beats."""
    between = (truth[1:] + truth[:-1]) / 2
    double = np.sort(np.concatenate([truth, between]))
    return max(f_measure(level, found) for level in (truth, double, truth[::2], truth[1::2], between))


def constant_f_measure(truth: _Array) -> float:
    """Return the F-measure of the best grid of constant tempo, within 4 % of the true median tempo."""
    middle, best = float(np.median(np.diff(truth))), 0.0
    for period in middle * np.linspace(0.96, 1.04, 81):
        phases = (truth / period) % 1
        heights = np.histogram(phases, 50, (0, 1))[0]
        window = max(1, round(100 * TOLERANCE / period))
        around = np.convolve(np.concatenate([heights, heights]), np.ones(window), "same")[25:75]
        phase = ((int(np.argmax(around)) + 25) % 50 + 0.5) / 50
        first = np.ceil(truth[0] / period - phase - 0.5)
        grid = (np.arange(first, first + len(truth) * 1.2 + 4) + phase) * period
        best = max(best, f_measure(truth, within(truth, grid)))
    return best


def accuracy(
    truth: _Array, positions: NDArray[np.int64], onset: _Array, found: NDArray[np.int64]
) -> BeatAccuracy:
    """Return the accuracy of beats.

    Args:
        truth: Seconds of the true beats, ascending.
        positions: Their beats of the bar from 1, 0 where unknown.
        onset: Seconds of the tracked beats, ascending.
        found: Their beats of the bar from 1.
    """
    inside = within(truth, onset)
    downs = truth[positions == 1]
    return BeatAccuracy(
        f_measure(truth, inside),
        octave_f_measure(truth, inside),
        f_measure(downs, within(truth, onset[found == 1]))
        if (positions > 0).all() and len(downs)
        else float("nan"),
        constant_f_measure(truth),
    )


def right_beats(truth: _Array, found: _Array) -> NDArray[np.bool_]:
    """Return whether each tracked beat is right, (b,).

    A right beat lies within `TOLERANCE` of a true beat, and its interval is that one's within a fifth.
    """
    nearest = np.clip(np.searchsorted(truth, found), 1, len(truth) - 1)
    nearest -= (found - truth[nearest - 1]) < (truth[nearest] - found)
    close = np.abs(truth[nearest] - found) <= TOLERANCE
    return close & same_tempo(np.gradient(found), np.gradient(truth)[nearest])


def same_tempo(period: _Array, truth: _Array) -> NDArray[np.bool_]:
    """Return whether each length of a beat is the true one's within a fifth, (b,)."""
    return np.abs(np.log(period / truth)) < np.log(1.2)
