"""The piano roll: notes of both players in the last seconds, for the screen."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tatumflow.engine.messages import RollNote
from tatumflow.engine.midi.notes import Note, Role

ROLL_SECONDS: Final = 8.0
"""Seconds a note stays on the roll after its end."""

_MOST_NOTES: Final = 512


class Roll:
    """Bounded record of both players' last notes."""

    def __init__(self) -> None:
        self._human: deque[Note] = deque(maxlen=_MOST_NOTES)
        self._companion: deque[Note] = deque(maxlen=_MOST_NOTES)
        self._keys: dict[int, RollNote] = {}

    def key_down(self, onset: float, pitch: int, velocity: int) -> None:
        """Begin a human's note."""
        self._keys[pitch] = RollNote(Role.HUMAN, onset, None, pitch, velocity)

    def ended(self, notes: Iterable[Note]) -> None:
        """Add the human's notes that ended."""
        for note in notes:
            self._keys.pop(note.pitch, None)
            self._human.append(note)

    def play(self, notes: Iterable[Note]) -> None:
        """Add the companion's committed notes."""
        self._companion.extend(notes)

    def cut(self, now: float, unsounded: tuple[Note, ...]) -> None:
        """Drop the companion's notes that did not sound, and end the others by `now` seconds."""
        silent = set(unsounded)
        self._companion = deque(
            (
                replace(note, duration=max(now - note.onset, 0.0)) if note.offset > now else note
                for note in self._companion
                if note not in silent
            ),
            maxlen=_MOST_NOTES,
        )

    def view(self, now: float, planned: Iterable[Note] = ()) -> tuple[RollNote, ...]:
        """Return the notes of the last `ROLL_SECONDS` and the planned ones, by onset."""
        for notes in (self._human, self._companion):
            while notes and notes[0].offset < now - ROLL_SECONDS:
                notes.popleft()
        seen = [RollNote(Role.HUMAN, n.onset, n.duration, n.pitch, n.velocity) for n in self._human]
        seen += self._keys.values()
        for note in self._companion:
            sounds = note.onset <= now < note.offset
            duration = None if sounds else note.duration
            seen.append(RollNote(Role.COMPANION, note.onset, duration, note.pitch, note.velocity))
        for note in planned:
            seen.append(RollNote(Role.COMPANION, note.onset, note.duration, note.pitch, note.velocity, True))
        return tuple(sorted(seen, key=lambda note: (note.onset, note.pitch)))
