"""The feel: swung off-beats, and onsets pulled towards the grid. Pure functions of beats."""

from bisect import bisect_right
from functools import lru_cache
from math import floor
from typing import Final

GRID: Final = (0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0)
"""Places of the grid within a beat: sixteenths and eighth-note triplets."""

_OFF_BEAT_DELAY: Final = 1 / 6
"""Beats from the straight off-beat to that of a triplet."""


@lru_cache(maxsize=64)
def swung_grid(swing: float) -> tuple[float, ...]:
    """Return the places of `GRID` with swung off-beats.

    The straight off-beat is delayed by `swing` times the distance to the triplet's last eighth, the
    sixteenths around it by half as much, in the middle of their halves. Places of the triplet stay until a
    straight one passes them: swung eighths are not swung again.

    Args:
        swing: 0 leaves the off-beats, 1 makes them triplets, 1.5 dotted eighths and sixteenths.

    Returns:
        As many places as `GRID`, none before the one it follows.
    """
    delay = swing * _OFF_BEAT_DELAY
    first, off_beat, last = 1 / 4 + delay / 2, 1 / 2 + delay, 3 / 4 + delay / 2
    return (0.0, first, max(1 / 3, first), off_beat, max(2 / 3, off_beat), last, 1.0)


def felt_beat(beat: float, swing: float, pull: float) -> float:
    """Return the beat on which an onset sounds.

    Swing stretches the time between the places of the grid evenly, so that no onset overtakes another; then
    the onset moves a share of the way to the swung place of its nearest straight one.

    Args:
        beat: The beat of the onset; any number.
        swing: See `swung_grid`; 0 for none.
        pull: Share of the way to the grid, 0 to 1.
    """
    if swing == 0 and pull == 0:
        return beat
    whole = floor(beat)
    places = swung_grid(swing)
    within = beat - whole
    after = min(bisect_right(GRID, within), len(GRID) - 1)
    low, high = GRID[after - 1], GRID[after]
    share = (within - low) / (high - low)
    stretched = places[after - 1] + share * (places[after] - places[after - 1])
    nearest = places[after if share >= 1 / 2 else after - 1]
    return whole + stretched + pull * (nearest - stretched)
