"""The plan of one turn: its planned and committed notes, and their places in the session."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.session import Mark, ModelSession
from tatumflow.engine.model.tokens import TICK_SECONDS

REMEMBERED: Final = 64
"""Committed notes of a turn that are kept."""


@dataclass(frozen=True, slots=True)
class _Placed:
    note: Note
    mark: Mark
    sound: Note


class Plan:
    """Notes by onset, each with a mark of the session before it; the session follows every change.

    A note may sound elsewhere than it was sampled: the session has notes as they were sampled, the scheduler
    as they sound. The last notes may be a take, one of several from which the notes to come are chosen.

    Attributes:
        first_onset: Seconds at which the turn's first note sounds; None while there is none.
        previous_onset: Seconds of the last onset in the session, of either player.
        committed: How many notes were committed to the scheduler.
        sounds: Maps a sampled note to the note that sounds, and keeps the order of onsets.
    """

    def __init__(self, session: ModelSession) -> None:
        self.sounds: Callable[[Note], Note] = _as_sampled
        self.first_onset: float | None = None
        self.previous_onset = 0.0
        self.committed = 0
        self._session = session
        self._begin_onset = 0.0
        self._planned: deque[_Placed] = deque()
        self._committed: deque[_Placed] = deque(maxlen=REMEMBERED)
        self._firm: int | None = None
        self._take_after = 0.0

    def __len__(self) -> int:
        """Return the number of planned notes, which can still be withdrawn."""
        return len(self._planned)

    @property
    def drawn(self) -> int:
        """Number of notes of the turn sampled and not withdrawn."""
        return self.committed + len(self._planned)

    @property
    def planned_notes(self) -> tuple[Note, ...]:
        """The planned notes, as they will sound, but those of a take."""
        return tuple(placed.sound for placed in islice(self._planned, self._firm))

    @property
    def next_onset(self) -> float | None:
        """Seconds at which the next planned note sounds; None without one that is no take's."""
        return self._planned[0].sound.onset if self._planned and self._firm != 0 else None

    def begin(self, previous_onset: float) -> None:
        """Forget the turn before; the session's last onset was at `previous_onset` seconds."""
        self._planned.clear()
        self._committed.clear()
        self._firm = None
        self.committed = 0
        self.first_onset = None
        self._begin_onset = self.previous_onset = previous_onset

    def append(self, note: Note, mark: Mark, onset: float) -> None:
        """Add the note that the session sampled after `mark`, moved to `onset` seconds."""
        if onset != note.onset:
            note = replace(note, onset=onset)
            self._session.rollback(mark)
            self._session.add(note, Role.COMPANION)
        self._planned.append(_Placed(note, mark, self.sounds(note)))
        self.previous_onset = onset
        if self.first_onset is None:
            self.first_onset = self._planned[-1].sound.onset

    def begin_take(self) -> None:
        """Count the notes from here on as a take, which is not committed until it is kept."""
        self._firm = len(self._planned)
        self._take_after = self.previous_onset

    @property
    def take(self) -> tuple[Note, ...]:
        """The notes of the take so far, as they were sampled."""
        return () if self._firm is None else tuple(p.note for p in islice(self._planned, self._firm, None))

    def keep_take(self) -> None:
        """Count the notes of the take as planned."""
        self._firm = None

    def drop_take(self) -> None:
        """Drop the notes of the take; nothing happens where there is none."""
        firm, self._firm = self._firm, None
        if firm is None or firm == len(self._planned):
            return
        self._session.rollback(self._planned[firm].mark)
        self._planned = deque(islice(self._planned, firm))
        self.previous_onset = self._take_after

    def count_from(self, onset: float) -> None:
        """Count the time of the next note from a human's note at `onset` seconds, if that is the last one."""
        self.previous_onset = max(self.previous_onset, onset)

    def sound_anew(self) -> None:
        """Apply `sounds` anew to the planned notes."""
        self._planned = deque(replace(placed, sound=self.sounds(placed.note)) for placed in self._planned)
        if not self.committed:
            self.first_onset = self.next_onset

    def commit(self, until: float) -> list[Note]:
        """Commit the notes that sound at `until` seconds or before, and return them as they sound."""
        notes: list[Note] = []
        firm = len(self._planned) if self._firm is None else self._firm
        while firm > len(notes) and self._planned[0].sound.onset <= until:
            placed = self._planned.popleft()
            self._committed.append(placed)
            notes.append(placed.sound)
        self.committed += len(notes)
        if self._firm is not None:
            self._firm -= len(notes)
        return notes

    def withdraw(self, onset_from: float) -> None:
        """Drop the planned notes that start at `onset_from` seconds or later."""
        kept = [placed for placed in self._planned if placed.note.onset < onset_from]
        if len(kept) < len(self._planned):
            self._session.rollback(self._planned[len(kept)].mark)
            self._planned = deque(kept)
            self._recount()

    def delay(self, seconds: float) -> None:
        """Move every planned note later by `seconds`."""
        notes = [placed.note for placed in self._planned]
        if not notes:
            return
        self._session.rollback(self._planned[0].mark)
        self._planned.clear()
        for note in notes:
            self._add(replace(note, onset=note.onset + seconds), self._planned)
        self._recount()

    def cut(self, now: float, unsounded: set[Note]) -> None:
        """Keep in the session the notes that sounded, ended at `now` seconds at the latest.

        Only the last 64 committed notes are looked at; one from before them that still sounds keeps its
        duration.

        Args:
            now: Seconds.
            unsounded: Committed notes that did not sound.
        """
        if self._planned:
            self._session.rollback(self._planned[0].mark)
            self._planned.clear()
        committed = list(self._committed)
        changed = (i for i, p in enumerate(committed) if p.sound in unsounded or p.sound.offset > now)
        first = next(changed, len(committed))
        if first < len(committed):
            self._session.rollback(committed[first].mark)
        self._committed = deque(committed[:first], maxlen=REMEMBERED)
        for placed in committed[first:]:
            if placed.sound not in unsounded:
                duration = max(min(placed.sound.offset, now) - placed.sound.onset, TICK_SECONDS)
                self._add(replace(placed.note, duration=duration), self._committed)
        self.committed -= len(unsounded)
        self._recount()

    def sounding(self) -> tuple[tuple[int, float], ...]:
        """Return MIDI pitch and end in seconds of the notes that sound beyond the last onset."""
        return tuple(
            (placed.note.pitch, placed.note.offset)
            for placed in chain(self._committed, self._planned)
            if placed.note.offset > self.previous_onset
        )

    def recent_pitches(self, count: int) -> tuple[int, ...]:
        """Return the pitches of the last `count` notes, latest first."""
        latest_first = chain(reversed(self._planned), reversed(self._committed))
        return tuple(placed.note.pitch for placed in islice(latest_first, count))

    def last_notes(self, count: int) -> tuple[Note, ...]:
        """Return the last `count` notes of the turn, by onset; of the committed ones 64 are kept."""
        notes = [placed.note for placed in chain(self._committed, self._planned)]
        return tuple(notes[-count:])

    def _add(self, note: Note, where: deque[_Placed]) -> None:
        where.append(_Placed(note, self._session.mark(), self.sounds(note)))
        self._session.add(note, Role.COMPANION)

    def _recount(self) -> None:
        last = self._planned or self._committed
        self.previous_onset = last[-1].note.onset if last else self._begin_onset
        if not self.committed:
            self.first_onset = self.next_onset


def _as_sampled(note: Note) -> Note:
    return note
