"""A piano roll as plain text, for terminals without a screen and for logs."""

from collections.abc import Sequence
from typing import Final

from tatumflow.engine.midi.notes import Note

_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_HUMAN_HEAD, _HUMAN_BODY = "▒", "░"
_COMPANION_HEAD, _COMPANION_BODY = "█", "▄"
_MARGIN: Final = 5


def pitch_name(pitch: int) -> str:
    """Return a MIDI pitch as players write it; 60 is C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def piano_roll(
    human: Sequence[Note], companion: Sequence[Note], *, width: int = 100, height: int = 24
) -> str:
    """Draw both players' notes, high notes on top, time from left to right.

    Args:
        human: Drawn light.
        companion: Drawn dark, over the human's.
        width: Columns of the picture, more than 20.
        height: Rows at most; several semitones share one where the range is larger.

    Returns:
        Lines joined by newlines, the last of them a scale in seconds; empty without notes.
    """
    notes = [*human, *companion]
    if not notes:
        return ""
    columns = width - _MARGIN
    low, high = min(note.pitch for note in notes), max(note.pitch for note in notes)
    semitones = (high - low) // height + 1
    rows = (high - low) // semitones + 1
    start = min(note.onset for note in notes)
    seconds = max(max(note.offset for note in notes) - start, 0.1) / columns
    grid = [[" "] * columns for _ in range(rows)]
    for part, head, body in (
        (human, _HUMAN_HEAD, _HUMAN_BODY),
        (companion, _COMPANION_HEAD, _COMPANION_BODY),
    ):
        for note in sorted(part, key=lambda note: note.onset):
            row = grid[(high - note.pitch) // semitones]
            first = min(int((note.onset - start) / seconds), columns - 1)
            last = min(max(int((note.offset - start) / seconds), first + 1), columns)
            row[first] = head
            row[first + 1 : last] = body * (last - first - 1)
    lines = [
        f"{pitch_name(high - index * semitones):>{_MARGIN - 1}} {''.join(row).rstrip()}"
        for index, row in enumerate(grid)
    ]
    return "\n".join([*lines, _scale(columns, seconds)])


def _scale(columns: int, seconds: float) -> str:
    step = next(s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 10**9) if s / seconds >= 8)
    line = [" "] * columns
    for second in range(0, int(columns * seconds) + 1, step):
        text = f"{second} s" if second == 0 else str(second)
        column = int(second / seconds)
        if column + len(text) <= columns:
            line[column : column + len(text)] = text
    return " " * _MARGIN + "".join(line).rstrip()
