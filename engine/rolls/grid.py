"""The grid of a roll: the seconds of its steps, from beats or of equal length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEPS_PER_BEAT: Final = 4
"""Steps of a beat: a step is a sixteenth note."""

BEATS_PER_BAR: Final = 4

FREE_STEP: Final = 0.125
"""Seconds of a step in free time: a sixteenth at 120 beats per minute."""


@dataclass(frozen=True)
class StepGrid:
    """Times of successive steps, at least two; beyond them the first and last step's lengths go on.

    Attributes:
        times: Seconds of the steps, ascending, (n,).
        steps_per_bar: Steps of a bar; step 0 begins a bar.
    """

    times: NDArray[np.float64]
    steps_per_bar: int = STEPS_PER_BEAT * BEATS_PER_BAR

    @classmethod
    def of_beats(cls, beats: Sequence[float], beats_per_bar: int = BEATS_PER_BAR) -> Self:
        """Return the grid of beats in seconds, ascending, of which the first is a downbeat."""
        count = len(beats)
        places = np.arange(STEPS_PER_BEAT * (count - 1) + 1) / STEPS_PER_BEAT
        return cls(np.interp(places, np.arange(count), beats), STEPS_PER_BEAT * beats_per_bar)

    @classmethod
    def of_tempo(cls, tempo: float, start: float = 0.0, beats_per_bar: int = BEATS_PER_BAR) -> Self:
        """Return the grid of a steady tempo in beats per minute, with a downbeat at `start` seconds."""
        return cls.of_beats((start, start + 60.0 / tempo), beats_per_bar)

    @classmethod
    def of_time(cls, step: float = FREE_STEP, start: float = 0.0) -> Self:
        """Return the grid of free time: steps of equal length in seconds."""
        return cls(np.array([start, start + step]))

    def seconds(self, steps: ArrayLike) -> NDArray[np.float64]:
        """Return the seconds of steps, which need not be whole."""
        return _extended(np.asarray(steps, np.float64), np.arange(len(self.times), dtype=float), self.times)

    def steps(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """Return the steps, not rounded, at times in seconds."""
        return _extended(np.asarray(seconds, np.float64), self.times, np.arange(len(self.times), dtype=float))

    def bar_steps(self, first: int, last: int) -> tuple[int, int]:
        """Return the first step of bar `first` and the one after bar `last`, counted from 1."""
        return (first - 1) * self.steps_per_bar, last * self.steps_per_bar


def _extended(
    at: NDArray[np.float64], known: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate linearly, and go on beyond both ends with the slope there."""
    inside = np.interp(at, known, values)
    first = (values[1] - values[0]) / (known[1] - known[0])
    last = (values[-1] - values[-2]) / (known[-1] - known[-2])
    inside = np.where(at < known[0], values[0] + (at - known[0]) * first, inside)
    return np.where(at > known[-1], values[-1] + (at - known[-1]) * last, inside)
