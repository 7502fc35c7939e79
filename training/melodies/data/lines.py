"""Lines of packed pieces: their highest voice as events on the grid, bar by bar."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.melodies.feel import off_beat_of
from tatumflow.engine.melodies.gridding import grid_notes
from tatumflow.engine.melodies.melody import BEATS_PER_BAR, STEPS_PER_BAR, event_row


@dataclass(frozen=True)
class Line:
    """A stretch of a piece in which the bars are known.

    Attributes:
        events: Events from a bar line on, (16 * bars,) int64.
        off_beat: Place of the off-beat within the beat.
    """

    events: Ints
    off_beat: float


def read_lines(notes: NDArray[np.void], fewest_bars: int) -> Iterator[Line]:
    """Yield the lines of a piece that have at least this many bars.

    A line ends where the beat is unknown, or where a bar has another number of beats than four.

    Args:
        notes: The piece's notes, (n,) of `NOTE_DTYPE`.
        fewest_bars: Fewest bars of a line.
    """
    known = notes["period"] > 0
    if not known.any():
        return
    off_beat = off_beat_of(notes["beat"][known])
    bar_line = (np.floor(notes["beat"]).astype(np.int64) - notes["bar_beat"]) % BEATS_PER_BAR
    place = np.where(known & (notes["bar_beat"] >= 0), bar_line, -1)
    ends = np.flatnonzero(np.diff(place)) + 1
    for part in np.split(np.arange(len(notes)), ends):
        if place[part[0]] < 0:
            continue
        line = notes[part]
        beats = line["beat"].astype(np.float64) - int(place[part[0]])
        first = BEATS_PER_BAR * int(np.floor(beats[0] / BEATS_PER_BAR))
        bars = int(np.ceil((beats[-1] - first) / BEATS_PER_BAR + 1e-6))
        if bars < fewest_bars:
            continue
        length = line["duration"].astype(np.float64) / line["period"]
        placed = grid_notes(beats - first, length, line["pitch"], off_beat)
        yield Line(event_row(placed, bars * STEPS_PER_BAR), off_beat)
