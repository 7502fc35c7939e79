"""A tempo from taps of a finger."""

from collections import deque
from itertools import pairwise
from statistics import linear_regression, median
from typing import Final

LONGEST_GAP: Final = 3.5
"""Seconds after which a tap starts a new series: longer than a beat of the slowest tempo."""

FEWEST_TAPS: Final = 3
"""Fewest taps that give a tempo."""

_REMEMBERED: Final = 12
_SHORTEST_GAP: Final = 0.05
_TWITCH: Final = 0.5


class Taps:
    """The latest series of taps.

    The tempo is the slope of a straight line through the taps, each numbered by the median gap: a left-out
    beat counts as one, a second touch of the same beat as none.
    """

    def __init__(self) -> None:
        self._taps: deque[float] = deque(maxlen=_REMEMBERED)

    def tap(self, time: float) -> float | None:
        """Add a tap at `time` seconds.

        Returns:
            Beats per minute; None while there are too few taps.
        """
        if self._taps and not 0 <= time - self._taps[-1] <= LONGEST_GAP:
            self._taps.clear()
        self._taps.append(time)
        return _tempo(list(self._taps))


def _tempo(taps: list[float]) -> float | None:
    if len(taps) < FEWEST_TAPS:
        return None
    gap = median(after - before for before, after in pairwise(taps))
    if gap < _SHORTEST_GAP:
        return None
    kept, beats = [taps[0]], [0]
    for tap in taps[1:]:
        if tap - kept[-1] > _TWITCH * gap:
            beats.append(beats[-1] + max(round((tap - kept[-1]) / gap), 1))
            kept.append(tap)
    if len(kept) < FEWEST_TAPS:
        return None
    return 60 / linear_regression(beats, kept).slope
