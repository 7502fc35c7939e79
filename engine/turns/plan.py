"""The notes of one turn and their places in the session: what was handed over, and what can still change."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.session import Mark, ModelSession
from tatumflow.engine.model.tokens import TICK_SECONDS

_REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class _Placed:
    note: Note
    mark: Mark
    sound: Note


class Plan:
    """Notes by onset, each with the place in the session just before it; the session follows every change.

    A note may sound elsewhere than it was drawn: the session goes by notes as drawn, all others by how they
    sound.

    Attributes:
        first_onset: Seconds at which the turn's first note sounds; None while there is none.
        previous_onset: Seconds of the last onset in the session, whoever played it.
        committed: How many notes were handed over.
        sounds: How a note sounds that was drawn; must keep the order of onsets.
    """

    def __init__(self, session: ModelSession) -> None:
        self.sounds: Callable[[Note], Note] = _as_drawn
        self.first_onset: float | None = None
        self.previous_onset = 0.0
        self.committed = 0
        self._session = session
        self._begin_onset = 0.0
        self._open: deque[_Placed] = deque()
        self._fixed: deque[_Placed] = deque(maxlen=_REMEMBERED)

    def __len__(self) -> int:
        """Return how many notes can still be withdrawn."""
        return len(self._open)

    @property
    def drawn(self) -> int:
        """How many notes of the turn were drawn and not withdrawn."""
        return self.committed + len(self._open)

    @property
    def open_notes(self) -> tuple[Note, ...]:
        """Notes that can still be withdrawn, as they will sound."""
        return tuple(placed.sound for placed in self._open)

    @property
    def next_onset(self) -> float | None:
        """Seconds at which the next note sounds that can still be withdrawn."""
        return self._open[0].sound.onset if self._open else None

    def begin(self, previous_onset: float) -> None:
        """Forget the turn before; the session's last onset was at `previous_onset` seconds."""
        self._open.clear()
        self._fixed.clear()
        self.committed = 0
        self.first_onset = None
        self._begin_onset = self.previous_onset = previous_onset

    def append(self, note: Note, mark: Mark, onset: float) -> None:
        """Take the note that the session drew after `mark`, to sound at `onset` instead of its own."""
        if onset != note.onset:
            note = replace(note, onset=onset)
            self._session.rollback(mark)
            self._session.add(note, Role.COMPANION)
        self._open.append(_Placed(note, mark, self.sounds(note)))
        self.previous_onset = onset
        if self.first_onset is None:
            self.first_onset = self._open[-1].sound.onset

    def hear(self, onset: float) -> None:
        """Count the time of the next note from a note of the other player's, if that is the last."""
        self.previous_onset = max(self.previous_onset, onset)

    def sound_anew(self) -> None:
        """Let the open notes sound as `sounds` now says."""
        self._open = deque(replace(placed, sound=self.sounds(placed.note)) for placed in self._open)
        if not self.committed:
            self.first_onset = self.next_onset

    def commit(self, until: float) -> list[Note]:
        """Fix the notes that sound at `until` seconds or before, and return them as they sound."""
        notes: list[Note] = []
        while self._open and self._open[0].sound.onset <= until:
            placed = self._open.popleft()
            self._fixed.append(placed)
            notes.append(placed.sound)
        self.committed += len(notes)
        return notes

    def withdraw(self, onset_from: float) -> None:
        """Drop the open notes that start at `onset_from` seconds or later."""
        kept = [placed for placed in self._open if placed.note.onset < onset_from]
        if len(kept) < len(self._open):
            self._session.rollback(self._open[len(kept)].mark)
            self._open = deque(kept)
            self._recount()

    def delay(self, seconds: float) -> None:
        """Move every open note later."""
        notes = [placed.note for placed in self._open]
        if not notes:
            return
        self._session.rollback(self._open[0].mark)
        self._open.clear()
        for note in notes:
            self._add(replace(note, onset=note.onset + seconds), self._open)
        self._recount()

    def cut(self, now: float, unsounded: set[Note]) -> None:
        """Leave in the session what was heard: notes that began, those of `unsounded` not, ended by `now`.

        Only the last 64 fixed notes are looked at; one that still sounds from before them keeps its duration.
        """
        if self._open:
            self._session.rollback(self._open[0].mark)
            self._open.clear()
        fixed = list(self._fixed)
        changed = (i for i, p in enumerate(fixed) if p.sound in unsounded or p.sound.offset > now)
        first = next(changed, len(fixed))
        if first < len(fixed):
            self._session.rollback(fixed[first].mark)
        self._fixed = deque(fixed[:first], maxlen=_REMEMBERED)
        for placed in fixed[first:]:
            if placed.sound not in unsounded:
                duration = max(min(placed.sound.offset, now) - placed.sound.onset, TICK_SECONDS)
                self._add(replace(placed.note, duration=duration), self._fixed)
        self.committed -= len(unsounded)
        self._recount()

    def sounding(self) -> tuple[tuple[int, float], ...]:
        """Return pitch and end of the notes that sound beyond the last onset."""
        return tuple(
            (placed.note.pitch, placed.note.offset)
            for placed in chain(self._fixed, self._open)
            if placed.note.offset > self.previous_onset
        )

    def recent_pitches(self, count: int) -> tuple[int, ...]:
        """Return the pitches of the last `count` notes, latest first."""
        latest_first = chain(reversed(self._open), reversed(self._fixed))
        return tuple(placed.note.pitch for placed in islice(latest_first, count))

    def last_notes(self, count: int) -> tuple[Note, ...]:
        """Return the last `count` notes of the turn, by onset: open ones, and fixed ones as far as kept."""
        notes = [placed.note for placed in chain(self._fixed, self._open)]
        return tuple(notes[-count:])

    def _add(self, note: Note, where: deque[_Placed]) -> None:
        where.append(_Placed(note, self._session.mark(), self.sounds(note)))
        self._session.add(note, Role.COMPANION)

    def _recount(self) -> None:
        last = self._open or self._fixed
        self.previous_onset = last[-1].note.onset if last else self._begin_onset
        if not self.committed:
            self.first_onset = self.next_onset


def _as_drawn(note: Note) -> Note:
    return note
