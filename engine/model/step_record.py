"""A bounded record of the steps of the context, so that any recent step can be prefilled again."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.midi.notes import PITCH_LOWEST, Role
from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.tokens import (
    ABSENT,
    DURATION,
    DURATION_TICKS,
    HELD,
    INPUT_SIZES,
    PITCH,
    TICK_SECONDS,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    VELOCITIES,
    VELOCITY,
    time_shift_index,
)

_LONGEST: Final = int(TIME_SHIFT_TICKS[-1])
_TIME_SHIFT_INDEX: Final[list[int]] = time_shift_index(np.arange(_LONGEST + 1)).tolist()


class StepContext(NamedTuple):
    """The decoder's inputs of a step besides the fields of its note.

    Attributes:
        role: Who plays.
        style: Style weights, (S,) float32.
        chord: Chord id, 0 for none.
        metre: Phase, beat of the bar and tempo, each below `METRE_SIZES`.
        phrase: Phrase condition, (P,) float32; zeros for none.
    """

    role: Role
    style: Floats
    chord: int
    metre: tuple[int, int, int]
    phrase: Floats


class HeardNote(NamedTuple):
    """A note of the context.

    Attributes:
        onset: Seconds.
        pitch: MIDI pitch.
        velocity: MIDI velocity, as the model reads it.
        duration: Seconds, as the model reads it; of a key that is still down 0.
        role: Who played it.
    """

    onset: float
    pitch: int
    velocity: int
    duration: float
    role: Role


_Place = tuple[int | None, int | None, float | None, float]
"""Tick and MIDI pitch of a step's note, its onset in seconds, and the seconds at which its tick lies: later
than the onset of a note that arrived late. A turn token has those of the note before it and no onset."""

_NO_NOTE: Final[_Place] = (None, None, None, 0.0)
_TURN_TOKEN: Final = np.array(ABSENT, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A state of a session to roll back to.

    Attributes:
        steps: Steps in the context.
        arrivals: Steps that had ever arrived.
        role: Whose turn it was.
        style: Style weights in force, (S,).
        phrase: Phrase condition in force, (P,).
    """

    steps: int
    arrivals: int
    role: Role
    style: Floats
    phrase: Floats


class StepRecord:
    """The last W steps in rings: the step at absolute position p lies in slot p % W.

    Notes are kept in order of onset tick and, inside a tick, of pitch. Time shifts follow from the ticks
    whenever neighbours change, so that the arrays can be prefilled as they are.

    Attributes:
        total: Steps so far, and the position of the next one.
        oldest: Lowest position still recorded.
        arrivals: Steps that have ever arrived.
        fields: Input indices, (W, 4) int64.
        role: `Role` values, (W,) int64.
        style: Style weights, (W, S) float32.
        chord: Chord ids, (W,) int64.
        metre: Metrical places, (W, 3) int64.
        phrase: Phrase conditions, (W, P) float32.
    """

    def __init__(self, capacity: int, num_styles: int, phrase_dim: int) -> None:
        """Allocate `capacity` steps with `num_styles` style weights and a phrase condition each."""
        self.capacity = capacity
        self.arrivals = self.total = self.oldest = 0
        # One array for each graph input rather than one of structures: the graph needs them contiguous.
        self.fields: Ints = np.zeros((capacity, len(INPUT_SIZES)), np.int64)
        self.role: Ints = np.zeros(capacity, np.int64)
        self.style: Floats = np.zeros((capacity, num_styles), np.float32)
        self.chord: Ints = np.zeros(capacity, np.int64)
        self.metre: Ints = np.zeros((capacity, len(NO_METRE)), np.int64)
        self.phrase: Floats = np.zeros((capacity, phrase_dim), np.float32)
        self._arrival: NDArray[np.int64] = np.zeros(capacity, np.int64)
        self._place: list[_Place] = [_NO_NOTE] * capacity
        context = (self.role, self.style, self.chord, self.metre, self.phrase)
        self._columns: tuple[Any, ...] = (self.fields, *context, self._arrival, self._place)

    def reset(self) -> None:
        """Forget every step."""
        self.total = self.oldest = 0

    def replay(self, other: "StepRecord", style: Floats, steps: int) -> None:
        """Append the last `steps` steps of another model's record, without phrase conditions.

        Args:
            other: The other record.
            style: Style weights, (S,), of the companion's notes; the human's have row 0 alone.
            steps: At most the capacity of this record.
        """
        no_style, no_phrase = np.zeros_like(style), np.zeros(self.phrase.shape[1], np.float32)
        no_style[0] = 1.0
        for position in range(max(other.oldest, other.total - steps), other.total):
            slot = position % other.capacity
            role = Role(int(other.role[slot]))
            tick, pitch, onset, _ = other._place[slot]
            context = StepContext(
                role,
                style if role is Role.COMPANION else no_style,
                int(other.chord[slot]),
                tuple(other.metre[slot].tolist()),
                no_phrase,
            )
            if onset is None or not self.total:
                self.append_turn_token(context)
            if onset is None or tick is None or pitch is None:
                continue
            velocity, duration = int(other.fields[slot, VELOCITY]), int(other.fields[slot, DURATION])
            self.insert_note(onset, tick, pitch, velocity, duration, context)

    @property
    def last_pitch(self) -> int | None:
        """Return the MIDI pitch of the last note, None before the first."""
        return self._last[1]

    def pitch_classes(self, notes: int) -> Ints:
        """Return how often each pitch class sounds in the last `notes` notes, (12,)."""
        slots = np.arange(self.total - 1, self.oldest - 1, -1) % self.capacity
        pitches = self.fields[slots, PITCH]
        chosen = pitches[pitches != ABSENT[PITCH]][:notes]
        return np.bincount((chosen + PITCH_LOWEST) % 12, minlength=12)

    def last_notes(self, notes: int) -> list[HeardNote]:
        """Return the last `notes` notes, by onset; durations are of ticks of 10 ms."""
        found: list[HeardNote] = []
        for position in range(self.total - 1, self.oldest - 1, -1):
            slot = position % self.capacity
            _, pitch, onset, _ = self._place[slot]
            if onset is None or pitch is None:
                continue
            velocity, duration = self.fields[slot, VELOCITY], self.fields[slot, DURATION]
            found.append(
                HeardNote(
                    onset,
                    pitch,
                    int(VELOCITIES[min(velocity, len(VELOCITIES) - 1)]),
                    float(DURATION_TICKS[duration]) * TICK_SECONDS if duration < len(DURATION_TICKS) else 0.0,
                    Role(int(self.role[slot])),
                )
            )
            if len(found) == notes:
                break
        return found[::-1]

    def onset(self, position: int) -> float:
        """Return the onset in seconds of the note at `position`."""
        return self._place[position % self.capacity][2] or 0.0

    @property
    def last_onset(self) -> float | None:
        """Return the seconds at which the last note's tick lies, None before the first."""
        tick, _, _, anchor = self._last
        return None if tick is None else anchor

    @property
    def last_tick(self) -> int | None:
        """Return the tick of the last note, None before the first."""
        return self._last[0]

    @property
    def _last(self) -> _Place:
        return self._place[(self.total - 1) % self.capacity] if self.total else _NO_NOTE

    def append_turn_token(self, context: StepContext) -> None:
        """Append a turn token; it lies on no chord, and its metrical place is that of the note before it."""
        tick, pitch, _, anchor = self._last
        self._open(self.total)
        slot = (self.total - 1) % self.capacity
        self.fields[slot] = _TURN_TOKEN
        self._write(slot, context._replace(chord=NO_CHORD), (tick, pitch, None, anchor))

    def insert_note(
        self,
        onset: float,
        tick: int,
        pitch: int,
        velocity_index: int,
        duration_index: int,
        context: StepContext,
    ) -> int:
        """Insert a note in its place and return its position.

        Its place is the end, or before higher notes of the same tick and turn. A tick before the last one
        counts as the last one, and such a note stays at the end.
        """
        position, anchor = self.total, onset
        last_tick, _, _, last_anchor = self._last
        if last_tick is not None and tick == last_tick:
            position = self._position(tick, pitch)
        elif last_tick is not None and tick < last_tick:
            tick, anchor = last_tick, last_anchor
        self._open(position)
        slot = position % self.capacity
        fields = self.fields[slot]
        fields[PITCH] = pitch - PITCH_LOWEST
        fields[VELOCITY], fields[DURATION] = velocity_index, duration_index
        self._write(slot, context, (tick, pitch, onset, anchor))
        self._derive_shifts(position)
        return position

    def set_phrase(self, position: int, phrase: Floats) -> bool:
        """Condition a companion's step on another phrase, (P,); return whether that changed it."""
        slot = position % self.capacity
        if self.role[slot] != Role.COMPANION or np.array_equal(self.phrase[slot], phrase):
            return False
        self.phrase[slot] = phrase
        return True

    def set_duration(self, position: int, duration_index: int) -> None:
        """Set the duration of the note at `position`."""
        self.fields[position % self.capacity, DURATION] = duration_index

    def held(self, pitch: int) -> int | None:
        """Return the position of the latest held note of a MIDI pitch, None if there is none on record."""
        matches = (self.fields[:, DURATION] == HELD) & (self.fields[:, PITCH] == pitch - PITCH_LOWEST)
        slots = np.flatnonzero(matches)
        if not len(slots):
            return None
        newest = self.total - 1
        position = int((newest - (newest - slots) % self.capacity).max())
        return position if position >= self.oldest else None

    def restore(self, mark: Mark) -> int:
        """Drop every step that arrived since `mark`.

        Returns:
            The lowest position that changed.

        Raises:
            ValueError: if the record no longer holds the marked steps.
        """
        positions = np.arange(self.oldest, self.total)
        kept = positions[self._arrival[positions % self.capacity] < mark.arrivals]
        if self.oldest + len(kept) != mark.steps:
            raise ValueError(f"the record of {self.total} steps no longer holds the {mark.steps} marked ones")
        moved = np.flatnonzero(kept != positions[: len(kept)])
        first = int(moved[0]) + self.oldest if len(moved) else mark.steps
        for target, source in enumerate(kept[first - self.oldest :], first):
            self._move(int(source), target)
        self.total = mark.steps
        self._derive_shifts(first)
        return first

    def _position(self, tick: int, pitch: int) -> int:
        """Return the position of a note on the last tick."""
        position = self.total
        lowest = max(1, self.oldest + 1, self.total + 2 - self.capacity)
        while position > lowest:
            before_tick, before_pitch, onset, _ = self._place[(position - 1) % self.capacity]
            if before_tick != tick or before_pitch is None or before_pitch <= pitch or onset is None:
                break
            position -= 1
        return position

    def _open(self, position: int) -> None:
        """Move the steps from `position` on back by one."""
        for moved in range(self.total, position, -1):
            self._move(moved - 1, moved)
        self.total += 1
        if self.total - self.oldest > self.capacity:
            self.oldest += 1

    def _write(self, slot: int, context: StepContext, place: _Place) -> None:
        self.role[slot], self.style[slot], self.chord[slot], self.metre[slot], self.phrase[slot] = context
        self._place[slot] = place
        self._arrival[slot] = self.arrivals
        self.arrivals += 1

    def _move(self, source: int, target: int) -> None:
        a, b = source % self.capacity, target % self.capacity
        for column in self._columns:
            column[b] = column[a]

    def _derive_shifts(self, first: int) -> None:
        """Derive the time shifts of the notes from `first` on; the first note of all has none."""
        before = self._place[(first - 1) % self.capacity][0] if first else None
        for position in range(first, self.total):
            slot = position % self.capacity
            tick, _, onset, _ = self._place[slot]
            if onset is not None:
                shift = 0 if before is None or tick is None else min(tick - before, _LONGEST)
                self.fields[slot, TIME_SHIFT] = _TIME_SHIFT_INDEX[shift]
            before = tick
