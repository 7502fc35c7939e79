"""Phrase detection: the notes of the human's phrase so far, and when it counts as finished."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.midi.events import SUSTAIN, ControlChange, HumanEvent, InputLost, NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.tokens import TICK_SECONDS, to_ticks

SHORTEST_SILENCE: Final = 0.30
"""Shortest silence in seconds that ends a phrase: shorter ones are articulation."""

LONGEST_SILENCE: Final = 1.5
"""Seconds of silence that end any phrase; a fixed 2 s is felt as 3."""

PEDAL_PATIENCE: Final = 3.0
"""Seconds without a key after which a held pedal no longer keeps the turn."""

_FIRST_SILENCE: Final = 0.6
_GAPS: Final = 12
_ENOUGH_GAPS: Final = 3
_SPREAD: Final = 1.5
_PERCENTILE: Final = 80
_PEDAL_DOWN: Final = 64
_LONGEST_PHRASE: Final = 4096


@dataclass(frozen=True, slots=True)
class Phrase:
    """Notes that belong together.

    Attributes:
        notes: By onset; a note still held ends at the time of the query.
        start: Seconds of the first onset.
        end: Seconds of the last note's end.
        rest: Seconds of silence that end a phrase at the human's pace.
    """

    notes: tuple[Note, ...]
    start: float
    end: float
    rest: float

    @property
    def length(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start


@dataclass(slots=True)
class _Sounding:
    onset: float
    velocity: int
    key_down: bool = True


class PhraseTracker:
    """Tracks keys and pedal, and determines when the turn goes over.

    The turn goes over after a silence that fits the human's pace: 1.5 times the 80th percentile of the last
    12 gaps between onsets within phrases, between 0.30 and 1.5 s. A percentile near the top follows the
    longer values of a rhythm (the quarters among eighths), one below the top ignores a single hesitation;
    half as long again sounds like a rest rather than a late note. Twelve gaps are two or three bars of a
    line, so the measure follows a change of tempo within a phrase. Until there are three gaps it is 0.6 s.

    Keys that are down keep the turn. So does the pedal, unless no key has moved for `PEDAL_PATIENCE`.
    Odd input never raises: an off without its on is ignored, a key struck again ends its note first, a time
    that goes back counts as the latest one seen.
    """

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_GAPS)
        self._ended: deque[Note] = deque(maxlen=_LONGEST_PHRASE)
        self._sounding: dict[int, _Sounding] = {}
        self._pedal = False
        self._start: float | None = None
        self._last_onset = 0.0
        self._last_key = 0.0
        self._last_release = 0.0
        self._latest = -np.inf

    @property
    def held(self) -> tuple[int, ...]:
        """MIDI pitches that sound, by key or by pedal."""
        return tuple(sorted(self._sounding))

    @property
    def last_onset(self) -> float | None:
        """Seconds of the last onset in the phrase, None before the first."""
        return None if self._start is None else self._last_onset

    @property
    def silence(self) -> float:
        """Seconds of silence that end a phrase at the human's present pace, 0.30 to 1.5."""
        if len(self._gaps) < _ENOUGH_GAPS:
            return _FIRST_SILENCE
        adaptive = _SPREAD * float(np.percentile(self._gaps, _PERCENTILE))
        return min(max(adaptive, SHORTEST_SILENCE), LONGEST_SILENCE)

    def feed(self, event: HumanEvent) -> tuple[Note, ...]:
        """Handle an event.

        Returns:
            The notes that it ended, with their durations.
        """
        time = self._latest = max(event.time, self._latest)
        match event:
            case NoteOn(pitch=pitch, velocity=velocity) if velocity > 0:
                ended = self._end([pitch], time)
                self._strike(pitch, velocity, time)
            case NoteOn(pitch=pitch) | NoteOff(pitch=pitch):
                ended = self._release_key(pitch, time)
            case ControlChange(number=number, value=value) if number == SUSTAIN:
                ended = self._move_pedal(value >= _PEDAL_DOWN, time)
            case ControlChange():
                ended = ()
            case InputLost():
                self._pedal = False
                self._last_key = time
                ended = self._end(list(self._sounding), time)
        return ended

    def turn_due(self, patience: float = 1.0) -> float | None:
        """Return the seconds, perhaps past, at which the turn goes over if nothing more is played.

        None without a phrase or while keys are down. `patience` is a factor on the silence that ends the
        phrase.
        """
        if self._start is None or any(note.key_down for note in self._sounding.values()):
            return None
        wait = self.silence * patience
        due = max(self._last_key + wait, self._last_release + min(wait, SHORTEST_SILENCE))
        return max(due, self._last_key + PEDAL_PATIENCE) if self._pedal else due

    def phrase(self, now: float) -> Phrase:
        """Return the phrase so far at `now` seconds; without a note it is empty and starts at `now`."""
        if self._start is None:
            return Phrase((), now, now, self.silence)
        held = [
            Note(sounding.onset, max(now - sounding.onset, TICK_SECONDS), pitch, sounding.velocity)
            for pitch, sounding in self._sounding.items()
            if sounding.onset >= self._start
        ]
        notes = sorted([*self._ended, *held], key=lambda note: (note.onset, note.pitch))
        end = max((note.offset for note in notes), default=now)
        return Phrase(tuple(notes), self._start, end, self.silence)

    def drop_pedal(self, now: float) -> tuple[Note, ...]:
        """End the notes that only the pedal holds, and return them."""
        time = self._latest = max(now, self._latest)
        return self._end([pitch for pitch, note in self._sounding.items() if not note.key_down], time)

    def next_phrase(self) -> None:
        """Begin a new phrase with the next onset; notes still sounding belong to neither."""
        self._start = None
        self._ended.clear()

    def _strike(self, pitch: int, velocity: int, time: float) -> None:
        if self._start is None:
            self._start = time
        elif (gap := time - self._last_onset) > 0 and to_ticks(time) > to_ticks(self._last_onset):
            self._gaps.append(gap)
        self._last_onset = self._last_key = time
        self._sounding[pitch] = _Sounding(time, velocity)

    def _release_key(self, pitch: int, time: float) -> tuple[Note, ...]:
        sounding = self._sounding.get(pitch)
        if sounding is None or not sounding.key_down:
            return ()
        self._last_key = time
        sounding.key_down = False
        return () if self._pedal else self._end([pitch], time)

    def _move_pedal(self, down: bool, time: float) -> tuple[Note, ...]:
        self._pedal = down
        if down:
            return ()
        ended = self.drop_pedal(time)
        if ended:
            self._last_release = time
        return ended

    def _end(self, pitches: list[int], time: float) -> tuple[Note, ...]:
        notes: list[Note] = []
        for pitch in pitches:
            sounding = self._sounding.pop(pitch, None)
            if sounding is None:
                continue
            note = Note(sounding.onset, max(time - sounding.onset, TICK_SECONDS), pitch, sounding.velocity)
            notes.append(note)
            if self._start is not None and note.onset >= self._start:
                self._ended.append(note)
        return tuple(notes)
