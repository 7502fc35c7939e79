"""Where notes lie on the piano roll: seconds to columns, pitches to rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from math import floor
from typing import Final

from tatumflow.engine.messages import RollNote
from tatumflow.engine.midi.notes import Role

PAST: Final = 8.0
"""Seconds of playing that stay in view."""

FUTURE: Final = 3.0
"""Seconds of planned notes in view."""

_SCALES: Final = (1, 2, 3, 4, 6, 12)
_MIDDLE: Final = 60


class Ink(IntEnum):
    """What a cell of the roll shows."""

    EMPTY = 0
    YOU = 1
    YOU_ONSET = 2
    COMPANION = 3
    COMPANION_ONSET = 4
    PLANNED = 5
    PLANNED_ONSET = 6


@dataclass(frozen=True, slots=True)
class PitchWindow:
    """The pitches in view: the lowest one and how many semitones share a row."""

    low: int
    semitones: int

    def row(self, pitch: int, rows: int) -> int:
        """Return the row of a pitch counted from the top, outside 0 to rows - 1 when it is out of view."""
        return rows - 1 - (pitch - self.low) // self.semitones

    def octave(self, row: int, rows: int) -> int | None:
        """Return the C that lies on a row, None if there is none."""
        first = self.low + (rows - 1 - row) * self.semitones
        c = -(-first // 12) * 12
        return c if c < first + self.semitones else None


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """The time line in whole columns, so that a note keeps its width while it scrolls.

    Attributes:
        now: Seconds at the now line.
        columns: Columns of the roll.
    """

    now: float
    columns: int

    @property
    def now_column(self) -> int:
        """Column of the now line."""
        return round(self.columns * PAST / (PAST + FUTURE))

    @property
    def seconds_per_column(self) -> float:
        """Seconds one column stands for."""
        return PAST / max(1, self.now_column)

    def column(self, time: float) -> int:
        """Return the column of a time, which may lie outside the roll."""
        width = self.seconds_per_column
        return self.now_column + floor(time / width) - floor(self.now / width)


def fit(pitches: Iterable[int], rows: int, current: PitchWindow | None = None) -> PitchWindow:
    """Return a window that shows all pitches, `current` where it still does without wasting half the rows."""
    found = list(pitches) or [_MIDDLE - 12, _MIDDLE + 12]
    low, high = min(found), max(found)
    semitones = next((s for s in _SCALES if s * rows >= high - low + 1), _SCALES[-1])
    if (
        current is not None
        and current.low <= low
        and high < current.low + rows * current.semitones
        and current.semitones <= 2 * semitones
    ):
        return current
    semitones = next((s for s in _SCALES if s * rows >= high - low + 5), _SCALES[-1])
    spare = semitones * rows - (high - low + 1)
    return PitchWindow(max(0, low - spare // 2), semitones)


def rows_of(notes: Iterable[RollNote], window: PitchWindow, grid: TimeGrid, rows: int) -> tuple[bytes, ...]:
    """Return the roll as one `bytes` of `Ink` values per row, from the top.

    Planned notes are drawn first and sounding ones over them; later onsets lie over earlier ones.
    """
    canvas = [bytearray(grid.columns) for _ in range(rows)]
    for note in sorted(notes, key=lambda note: (not note.planned, note.onset)):
        row = window.row(note.pitch, rows)
        if not 0 <= row < rows:
            continue
        body, onset = _inks(note)
        start = grid.column(note.onset)
        end = grid.now_column + 1 if note.duration is None else grid.column(note.onset + note.duration)
        first, last = max(0, start), min(grid.columns, max(end, start + 1))
        if first >= last:
            continue
        canvas[row][first:last] = bytes([body]) * (last - first)
        if start >= 0:
            canvas[row][start] = onset
    return tuple(bytes(line) for line in canvas)


def _inks(note: RollNote) -> tuple[Ink, Ink]:
    if note.planned:
        return Ink.PLANNED, Ink.PLANNED_ONSET
    if note.role is Role.HUMAN:
        return Ink.YOU, Ink.YOU_ONSET
    return Ink.COMPANION, Ink.COMPANION_ONSET
