"""Measures of a span of a roll beside what is around it: key, beat, density, joins.

They read a roll and the span's first and last step, so that the real span, a filled one and a pasted one are
measured alike. A measure without enough notes is NaN.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.grid import BEATS_PER_BAR, STEPS_PER_BEAT
from tatumflow.engine.rolls.roll import HELD, ONSET, Roll
from tatumflow.training.evaluate.metrics.beat import Placed, concentration
from tatumflow.training.evaluate.metrics.key import fifths_coefficient

_BAR: Final = STEPS_PER_BEAT * BEATS_PER_BAR
_OCTAVE: Final = 12
_NAN: Final = float("nan")


def key_agreement(roll: Roll, start: int, stop: int) -> float:
    """Return the cosine between a span and the steps around it on the circle of fifths, -1 to 1."""
    inside = np.zeros(roll.width, np.bool_)
    inside[start:stop] = True
    own, around = (_pitch_classes(roll.state[:, steps]) for steps in (inside, ~inside))
    one, other = fifths_coefficient(own), fifths_coefficient(around)
    size = abs(one) * abs(other)
    return float((one * other.conjugate()).real / size) if size > 0 else _NAN


def diatonicity(roll: Roll, start: int, stop: int) -> float:
    """Return the magnitude of the fifth Fourier coefficient of a span's pitch classes, 0 to 1."""
    return abs(fifths_coefficient(_pitch_classes(roll.state[:, start:stop])))


def beat_concentration(roll: Roll, start: int, stop: int) -> float:
    """Return how far a span's onsets gather on half beats; see `metrics.beat.concentration`."""
    _, steps = np.nonzero(roll.state[:, start:stop] == ONSET)
    place = (start + np.unique(steps)) / STEPS_PER_BEAT
    return concentration(Placed(place, np.ones(len(place))))


def density(roll: Roll, start: int, stop: int) -> float:
    """Return a span's onsets a step."""
    return float((roll.state[:, start:stop] == ONSET).sum()) / (stop - start)


def density_change(roll: Roll, start: int, stop: int) -> float:
    """Return the factor between the densities of a span and around it, as an absolute logarithm."""
    inside = (roll.state[:, start:stop] == ONSET).sum()
    outside = roll.onsets - inside
    steps = roll.width - (stop - start)
    if not steps:
        return _NAN
    return abs(float(np.log((inside + 1) / (stop - start) / ((outside + 1) / steps))))


def join_interval(roll: Roll, start: int, stop: int) -> float:
    """Return the mean interval in semitones between the highest notes on both sides of a span's borders."""
    jumps = [
        abs(before - after)
        for border in _borders(roll, start, stop)
        if (before := _top(roll, border - 1, -1)) is not None and (after := _top(roll, border, 1)) is not None
    ]
    return float(np.mean(jumps)) if jumps else _NAN


def join_density(roll: Roll, start: int, stop: int) -> float:
    """Return the mean change of onsets from the bar before a span's borders to the bar after, in onsets."""
    counts = (roll.state == ONSET).sum(axis=0)
    changes = [
        abs(int(counts[max(border - _BAR, 0) : border].sum()) - int(counts[border : border + _BAR].sum()))
        for border in _borders(roll, start, stop)
    ]
    return float(np.mean(changes)) if changes else _NAN


def held_share(roll: Roll, start: int, stop: int) -> float:
    """Return the share of a span's sounding cells that are held."""
    part = roll.state[:, start:stop]
    sounding = int((part > 0).sum())
    return float((part == HELD).sum()) / sounding if sounding else _NAN


MEASURES: Final[Mapping[str, Callable[[Roll, int, int], float]]] = {
    "key_agreement": key_agreement,
    "diatonicity": diatonicity,
    "beat_concentration": beat_concentration,
    "density": density,
    "density_change": density_change,
    "join_interval": join_interval,
    "join_density": join_density,
    "held_share": held_share,
}
"""Measures by name."""


def _pitch_classes(state: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the onsets of each pitch class, (12,)."""
    pitches, _ = np.nonzero(state == ONSET)
    return np.bincount(pitches % _OCTAVE, minlength=_OCTAVE).astype(np.float64)


def _borders(roll: Roll, start: int, stop: int) -> list[int]:
    """Return the borders of a span that lie within the roll."""
    return [border for border in (start, stop) if 0 < border < roll.width]


def _top(roll: Roll, step: int, direction: int) -> int | None:
    """Return the highest onset of the nearest step with one, within a bar of a step in a direction."""
    for at in range(step, step + direction * _BAR, direction):
        if not 0 <= at < roll.width:
            return None
        pitches = np.flatnonzero(roll.state[:, at] == ONSET)
        if len(pitches):
            return int(pitches[-1])
    return None
