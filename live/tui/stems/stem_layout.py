"""Which columns of a stem's row hold what."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

_LEAST_NAME: Final = 7
_MOST_NAME: Final = 14
_MARK: Final = 2
_SWITCH: Final = 3
_GAIN: Final = 9
_GAPS: Final = 4
_LEAST_TRACK: Final = 8
_MOST_TRACK: Final = 32
_TRACK_SHARE: Final = 0.55


def name_cells(names: Iterable[str]) -> int:
    """Return the cells that the names of stems take; longer ones are cut."""
    return min(_MOST_NAME, max((_LEAST_NAME, *map(len, names))))


@dataclass(frozen=True, slots=True)
class StemLayout:
    """Columns of a row, each range counted from its left edge.

    Attributes:
        label: The mark of the stem that plays, and the name.
        meter: Its level.
        mute: The switch.
        solo: Likewise.
        track: The gain's track; empty where the row is too narrow for one.
        gain: The gain as a number.
    """

    label: range
    meter: range
    mute: range
    solo: range
    track: range
    gain: range


@cache
def stem_layout(width: int, name: int) -> StemLayout:
    """Return how a row of some cells is laid out, with so many of them for the name."""
    label = _MARK + name
    spare = max(0, width - label - 2 * _SWITCH - _GAIN - _GAPS)
    track = min(_MOST_TRACK, int(spare * _TRACK_SHARE))
    if track < _LEAST_TRACK:
        track = 0
    columns, at = [], 0
    # The gain is set flush right in its cells, which leaves a gap before it.
    for cells, gap in ((label, 1), (spare - track, 1), (_SWITCH, 1), (_SWITCH, 1), (track, 0), (_GAIN, 0)):
        columns.append(range(at, at + cells))
        at += cells + gap
    return StemLayout(*columns)
