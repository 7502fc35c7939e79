"""Timing of a line against known beats: concentration of onsets, swing ratio, asynchrony.

Pitches are ignored, and no grid is needed: a line that swings late and evenly keeps the beat too.
"""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from tatumflow.training.evaluate.bootstrap import Floats

HALVES: Final = 2
"""Parts of the beat on which onsets should gather."""

NEAR_BEAT: Final = 0.2
"""Largest distance of an onset that belongs to a beat, as a share of the beat."""

OFF_BEATS: Final = (0.4, 0.8)
"""Where in the beat the second of two eighths falls: from rushed over straight, at 0.5, to beyond dotted, at
0.75. It begins below 0.5, so that straight eighths that are a little early do not count as none."""

_FEWEST: Final = 8


@dataclass(frozen=True)
class Placed:
    """Onsets on a pulse.

    Attributes:
        place: Beats from the first beat, (n,): 2.5 is half-way between the third and the fourth beat.
        period: Seconds of the beat that each falls into, (n,).
    """

    place: Floats
    period: Floats

    @property
    def phase(self) -> Floats:
        """Place within the beat, (n,), 0 to 1."""
        return self.place % 1.0


def place_onsets(onsets: ArrayLike, beats: ArrayLike) -> Placed:
    """Place onsets on ascending beats, in seconds, by linear interpolation; drop those outside the beats."""
    times, pulse = np.asarray(onsets, dtype=np.float64), np.asarray(beats, dtype=np.float64)
    if len(pulse) < 2:
        return Placed(np.zeros(0), np.zeros(0))
    inside = times[(times >= pulse[0]) & (times < pulse[-1])]
    index = np.clip(np.searchsorted(pulse, inside, side="right") - 1, 0, len(pulse) - 2)
    period = np.diff(pulse)[index]
    return Placed(index + (inside - pulse[index]) / period, period)


def concentration(placed: Placed, parts: int = HALVES) -> float:
    """Return how far onsets gather at multiples of a part of the beat, less the mean of random onsets.

    |mean exp(2 pi i parts phase)|, 0 to 1, less the mean of as many random onsets, sqrt(pi / 4n)
    (Rayleigh). A constant lateness does not change it. NaN of few onsets.
    """
    count = len(placed.place)
    if count < _FEWEST:
        return float("nan")
    phasors = np.exp(2j * pi * parts * placed.phase)
    return float(abs(phasors.mean())) - sqrt(pi / (4 * count))


def swing_ratios(placed: Placed) -> Floats:
    """Return the swing ratio, first eighth over second, of each beat that is played as two eighths, (k,).

    Those are three successive onsets: near a beat, within `OFF_BEATS` of it, and near the next beat. The
    ratio of their two intervals, as in Benadon's beat-upbeat ratio (2006, "Slicing the beat"), does not
    depend on how late all three are. 1 is straight, 2 is triplets.
    """
    place = np.sort(placed.place)
    if len(place) < 3:
        return np.zeros(0)
    first, second, third = place[:-2], place[1:-1], place[2:]
    beat = np.round(first)
    near = (np.abs(first - beat) <= NEAR_BEAT) & (np.abs(third - beat - 1) <= NEAR_BEAT)
    off = (second - beat >= OFF_BEATS[0]) & (second - beat <= OFF_BEATS[1])
    kept = near & off
    return (second - first)[kept] / (third - second)[kept]


def asynchronies(placed: Placed) -> Floats:
    """Return the lateness of each onset near a beat in seconds, (k,); negative for early ones."""
    late = placed.place - np.round(placed.place)
    return (late * placed.period)[np.abs(late) <= NEAR_BEAT]


def tempo_of(beats: ArrayLike) -> float:
    """Return the beats a minute of a pulse by its median beat; NaN of fewer than two beats."""
    periods = np.diff(np.asarray(beats, dtype=np.float64))
    return 60.0 / float(np.median(periods)) if len(periods) else float("nan")
