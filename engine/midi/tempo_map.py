"""The beats of a MIDI file: its tempos, metres, keys, and the texts that name chords and sections."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

TICKS_PER_BEAT: Final = 480
"""Resolution of the files that are written."""

SLOWEST_TEMPO: Final = 4.0
"""Beats per minute of the slowest tempo written; the format allows down to 3.58."""

FASTEST_TEMPO: Final = 1000.0
"""Beats per minute of the fastest."""

_DEFAULT_MICROSECONDS: Final = 500_000

TextKind = Literal["marker", "text"]


@dataclass(frozen=True)
class MidiText:
    """A text at a beat: a marker for a section, a text for a chord, as the book reads them."""

    beat: float
    kind: TextKind
    text: str


@dataclass(frozen=True)
class TempoMap:
    """Tempos, metres, keys and texts of a file, in beats from its start.

    Attributes:
        tempos: Tick and microseconds of a beat of each change, ascending, the first at tick 0.
        metres: Beat of each change, on a bar line, and the beats of a bar from there on.
        keys: Beat of each change, and the key as charts name it.
        texts: In order.
        title: Name of the tune; may be empty.
    """

    tempos: tuple[tuple[int, int], ...] = ((0, _DEFAULT_MICROSECONDS),)
    metres: tuple[tuple[float, int], ...] = ()
    keys: tuple[tuple[float, str], ...] = ()
    texts: tuple[MidiText, ...] = ()
    title: str = ""

    @classmethod
    def of_tempo(cls, tempo: float) -> Self:
        """Return the map of one tempo in beats per minute.

        Raises:
            ValueError: if it is outside `SLOWEST_TEMPO` to `FASTEST_TEMPO`.
        """
        if not SLOWEST_TEMPO <= tempo <= FASTEST_TEMPO:
            raise ValueError(f"tempo {tempo} is outside {SLOWEST_TEMPO} to {FASTEST_TEMPO} beats per minute")
        return cls(((0, round(60e6 / tempo)),))

    @cached_property
    def _reached(self) -> NDArray[np.float64]:
        """Seconds of each change of tempo."""
        return np.array(tempo_seconds([tick for tick, _ in self.tempos], self.tempos, TICKS_PER_BEAT))

    def ticks(self, seconds: ArrayLike) -> NDArray[np.int64]:
        """Return the nearest ticks of times in seconds, at least 0."""
        times = np.asarray(seconds, np.float64)
        at = np.maximum(np.searchsorted(self._reached, times, side="right") - 1, 0)
        starts = np.array([tick for tick, _ in self.tempos])
        per_second = TICKS_PER_BEAT * 1e6 / np.array([length for _, length in self.tempos])
        return np.rint(starts[at] + (times - self._reached[at]) * per_second[at]).astype(np.int64)


def tempos_through(anchors: Sequence[tuple[float, float]]) -> tuple[tuple[int, int], ...]:
    """Return tempos that put beats on their seconds, for `TempoMap`.

    Args:
        anchors: Seconds and beat of points, both ascending, the first (0, 0); between two the tempo is
            constant, within `SLOWEST_TEMPO` and `FASTEST_TEMPO`; after the last that before it goes on.
    """
    ticks = [round(beat * TICKS_PER_BEAT) for _, beat in anchors]
    tempos: list[tuple[int, int]] = []
    # Each length corrects the rounding of those before it, so that errors do not add up.
    reached = 0.0
    for i in range(len(anchors) - 1):
        span = ticks[i + 1] - ticks[i]
        length = round((anchors[i + 1][0] - reached) * 1e6 * TICKS_PER_BEAT / span)
        length = min(max(length, round(60e6 / FASTEST_TEMPO)), round(60e6 / SLOWEST_TEMPO))
        reached += span * length / (1e6 * TICKS_PER_BEAT)
        if not tempos or tempos[-1][1] != length:
            tempos.append((ticks[i], length))
    return tuple(tempos) or ((0, _DEFAULT_MICROSECONDS),)


def tempo_seconds(
    ticks: Sequence[float], tempos: Sequence[tuple[int, int]], ticks_per_beat: int
) -> list[float]:
    """Return the seconds of ticks along tempos of (tick, microseconds of a beat); 120 bpm before them."""
    changes = sorted([(0, _DEFAULT_MICROSECONDS), *tempos], key=lambda change: change[0])
    starts = [tick for tick, _ in changes]
    reached = [0.0]
    for (tick, length), (following, _) in pairwise(changes):
        reached.append(reached[-1] + (following - tick) * length / (ticks_per_beat * 1e6))
    seconds: list[float] = []
    for tick in ticks:
        at = max(bisect_right(starts, tick) - 1, 0)
        seconds.append(reached[at] + (tick - starts[at]) * changes[at][1] / (ticks_per_beat * 1e6))
    return seconds
