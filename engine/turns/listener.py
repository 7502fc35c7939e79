"""The human's side of a session: notes enter the model's context at once and gather to phrases."""

from collections import deque
from typing import Final

from tatumflow.engine.errors import ModelFault
from tatumflow.engine.midi.events import HumanEvent, InputLost, NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.turns.heard_harmony import HeardHarmony
from tatumflow.engine.turns.phrase import Phrase, PhraseTracker
from tatumflow.engine.turns.roll import Roll

_PREFILL_STEPS: Final = 64

_SOON: Final = 0.03
_LATEST: Final = 0.25
"""Seconds of delay of a note's event: up to the first it counts as none, beyond the second as the second."""

_LATENESSES: Final = 12


class Listener:
    """Passes the human's notes to the session, the heard harmony, the roll and the phrase tracker.

    Attributes:
        last_onset: Seconds of the last onset of either player; None before the first.
        faults: How often the model failed at a prefill.
    """

    def __init__(self, session: ModelSession, roll: Roll, harmony: HeardHarmony) -> None:
        self.last_onset: float | None = None
        self.faults = 0
        self._session = session
        self._roll = roll
        self._harmony = harmony
        self._tracker = PhraseTracker()
        self._failed = False
        self._key_ends: dict[int, float] = {}
        self._lateness: deque[float] = deque(maxlen=_LATENESSES)

    @property
    def next_key_end(self) -> float | None:
        """Seconds at which `end_keys` next ends a key; None if there is none."""
        return min(self._key_ends.values(), default=None)

    def handle(self, event: HumanEvent, late: float = 0.0) -> None:
        """Handle an event that arrives `late` seconds after its time."""
        self._failed = False
        self._end(self._tracker.feed(event))
        if isinstance(event, NoteOn) and event.velocity > 0:
            self._lateness.append(min(late, _LATEST) if late > _SOON else 0.0)
            self._session.note_on(event.time, event.pitch, event.velocity)
            self._harmony.note_on(event.time, event.pitch)
            self._roll.key_down(event.time, event.pitch, event.velocity)
            self.last_onset = event.time

    def end_key_at(self, time: float, pitch: int) -> None:
        """Let `end_keys` end a key at `time` seconds; for keys that send no note-off."""
        self._key_ends[pitch] = time

    def end_keys(self, now: float) -> None:
        """End the keys that are due at `now` seconds."""
        for pitch in [pitch for pitch, end in self._key_ends.items() if end <= now]:
            self.handle(NoteOff(self._key_ends.pop(pitch), pitch))

    def prefill(self) -> bool:
        """Prefill pending steps of the context; return whether there are more."""
        if self._failed:
            return False
        try:
            left = self._session.sync(_PREFILL_STEPS)
            if not left and not self._tracker.held:
                # No key is down: apply deferred corrections now rather than when the turn comes.
                self._session.settle()
                left = self._session.pending
            return left > 0
        except ModelFault:
            # The steps stay pending; another try fails until something changes.
            self._failed = True
            self.faults += 1
            return False

    def turn_due(self, patience: float) -> float | None:
        """Return when the turn goes over; see `PhraseTracker.turn_due`.

        Where events arrive late, as those of a pitch tracker do, it waits longer by the largest delay of the
        last twelve: a note that ends the silence may still be on its way.
        """
        due = self._tracker.turn_due(patience)
        return None if due is None else due + max(self._lateness, default=0.0)

    def phrase(self, now: float) -> Phrase:
        """Return the phrase so far; notes that only the pedal holds end at `now` seconds."""
        self._end(self._tracker.drop_pedal(now))
        return self._tracker.phrase(now)

    def next_phrase(self) -> None:
        """Begin a new phrase with the next onset."""
        self._tracker.next_phrase()

    def release(self, now: float) -> None:
        """Release every key and the pedal at `now` seconds, and forget the phrase."""
        self._key_ends.clear()
        self.handle(InputLost(now))
        self.next_phrase()

    def _end(self, notes: tuple[Note, ...]) -> None:
        for note in notes:
            self._session.note_off(note.offset, note.pitch)
            self._harmony.note_off(note.offset, note.pitch)
        self._roll.ended(notes)
