"""A bounded record of what each step of the context was, so that any recent step can be fed again."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.midi.notes import PITCH_LOWEST, Role
from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.tokens import (
    ABSENT,
    DURATION,
    HELD,
    INPUT_SIZES,
    PITCH,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    TURN,
    VELOCITY,
    time_shift_index,
)

_LONGEST: Final = int(TIME_SHIFT_TICKS[-1])
_TIME_SHIFT_INDEX: Final[list[int]] = time_shift_index(np.arange(_LONGEST + 1)).tolist()


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A place in a session to come back to.

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
    """The last W steps in rings, the step at absolute position p in slot p % W.

    Notes are kept in order of onset tick and, inside a tick, of pitch. Time shifts follow from the ticks
    whenever neighbours change, so that the arrays can be fed as they are.

    Attributes:
        total: Steps so far, and the position of the next one.
        oldest: Lowest position still recorded.
        fields: Input indices, (W, 4) int64.
        role: `Role` values, (W,) int64.
        style: Style weights, (W, S) float32.
        chord: Chord ids, (W,) int64.
        metre: Metrical places, (W, 3) int64.
        phrase: Phrase conditions, (W, P) float32.
    """

    def __init__(self, capacity: int, num_styles: int, phrase_dim: int) -> None:
        """Make room for `capacity` steps with `num_styles` style weights and a phrase condition each."""
        self.capacity = capacity
        self.fields: Ints = np.zeros((capacity, len(INPUT_SIZES)), np.int64)
        self.role: Ints = np.zeros(capacity, np.int64)
        self.style: Floats = np.zeros((capacity, num_styles), np.float32)
        self.chord: Ints = np.zeros(capacity, np.int64)
        self.metre: Ints = np.zeros((capacity, len(NO_METRE)), np.int64)
        self.phrase: Floats = np.zeros((capacity, phrase_dim), np.float32)
        self._arrival: NDArray[np.int64] = np.zeros(capacity, np.int64)
        # A turn step carries the values of the note before it; None before the first note.
        self._tick: list[int | None] = [None] * capacity
        self._pitch: list[int | None] = [None] * capacity
        self._onset: list[float] = [0.0] * capacity
        # Seconds at which the step's tick lies: later than its onset where it was told too late.
        self._anchor: list[float] = [0.0] * capacity
        self.arrivals = 0
        self.total = 0
        self.oldest = 0

    def reset(self) -> None:
        """Forget every step."""
        self.total = self.oldest = 0

    def retell(self, other: "StepRecord", style: Floats, steps: int) -> None:
        """Append the last `steps` steps of another record, of another model perhaps; none has a condition.

        Args:
            other: Another record.
            style: Style weights, (S,), of what the companion played; row 0 alone for the human.
            steps: At most as many steps as this record has room for.
        """
        no_style, no_phrase = np.zeros_like(style), np.zeros(self.phrase.shape[1], np.float32)
        no_style[0] = 1.0
        for position in range(max(other.oldest, other.total - steps), other.total):
            slot = position % other.capacity
            role = Role(int(other.role[slot]))
            told = style if role is Role.COMPANION else no_style
            is_turn = other.fields[slot, PITCH] == ABSENT[PITCH]
            if is_turn or not self.total:
                self.append_turn(role, told, no_phrase, tuple(other.metre[slot].tolist()))
            tick, pitch = other._tick[slot], other._pitch[slot]
            if is_turn or tick is None or pitch is None:
                continue
            velocity, duration = int(other.fields[slot, VELOCITY]), int(other.fields[slot, DURATION])
            onset, chord, metre = other._onset[slot], int(other.chord[slot]), other.metre[slot].tolist()
            self.insert_note(
                onset, tick, pitch, velocity, duration, role, told, chord, tuple(metre), no_phrase
            )

    @property
    def last_pitch(self) -> int | None:
        """Return the MIDI pitch of the last note, None before the first."""
        return self._pitch[(self.total - 1) % self.capacity] if self.total else None

    def pitch_classes(self, notes: int) -> Ints:
        """Return how often each pitch class sounds in the last `notes` notes, (12,)."""
        slots = np.arange(self.total - 1, self.oldest - 1, -1) % self.capacity
        pitches = self.fields[slots, PITCH]
        chosen = pitches[pitches != ABSENT[PITCH]][:notes]
        return np.bincount((chosen + PITCH_LOWEST) % 12, minlength=12)

    def onset(self, position: int) -> float:
        """Return the onset in seconds of the note at `position`."""
        return self._onset[position % self.capacity]

    @property
    def last_onset(self) -> float | None:
        """Return the seconds at which the last note's tick lies, None before the first."""
        last = (self.total - 1) % self.capacity
        return self._anchor[last] if self.total and self._tick[last] is not None else None

    @property
    def last_tick(self) -> int | None:
        """Return the tick of the last note, None before the first."""
        return self._tick[(self.total - 1) % self.capacity] if self.total else None

    def append_turn(
        self, role: Role, style: Floats, phrase: Floats, metre: tuple[int, int, int] = NO_METRE
    ) -> None:
        """Append a turn step of `role` with style weights (S,) and a phrase condition (P,).

        Its metrical place is that of the note before it.
        """
        last = (self.total - 1) % self.capacity
        tick = self._tick[last] if self.total else None
        pitch = self._pitch[last] if self.total else None
        anchor = self._anchor[last] if self.total else 0.0
        self._open(self.total)
        slot = (self.total - 1) % self.capacity
        fields = self.fields[slot]
        fields[0], fields[1], fields[2], fields[3] = TURN.time_shift, TURN.pitch, TURN.velocity, TURN.duration
        self._write(slot, role, style, NO_CHORD, metre, phrase, tick, pitch, 0.0, anchor)

    def insert_note(
        self,
        onset: float,
        tick: int,
        pitch: int,
        velocity_index: int,
        duration_index: int,
        role: Role,
        style: Floats,
        chord: int,
        metre: tuple[int, int, int],
        phrase: Floats,
    ) -> int:
        """Insert a note in its place and return its position.

        Its place is the end, or before higher notes of the same tick and turn. A tick before the last one
        counts as the last one, and such a note stays at the end.
        """
        last_tick = self._tick[(self.total - 1) % self.capacity] if self.total else None
        position, anchor = self.total, onset
        if last_tick is not None and tick == last_tick:
            position = self._place(tick, pitch)
        elif last_tick is not None and tick < last_tick:
            tick, anchor = last_tick, self._anchor[(self.total - 1) % self.capacity]
        self._open(position)
        slot = position % self.capacity
        self.fields[slot, 1] = pitch - PITCH_LOWEST
        self.fields[slot, 2] = velocity_index
        self.fields[slot, 3] = duration_index
        self._write(slot, role, style, chord, metre, phrase, tick, pitch, onset, anchor)
        self._derive_shifts(position)
        return position

    def tell_phrase(self, position: int, phrase: Floats) -> bool:
        """Give a step of the companion's another phrase condition (P,); return whether that changed it."""
        slot = position % self.capacity
        if self.role[slot] != Role.COMPANION or np.array_equal(self.phrase[slot], phrase):
            return False
        self.phrase[slot] = phrase
        return True

    def set_duration(self, position: int, duration_index: int) -> None:
        """Give the note at `position` another duration."""
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
            ValueError: if the record no longer holds the steps that were there.
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

    def _place(self, tick: int, pitch: int) -> int:
        """Return where a note of the last tick belongs."""
        position = self.total
        lowest = max(1, self.oldest + 1, self.total + 2 - self.capacity)
        while position > lowest:
            slot = (position - 1) % self.capacity
            before = self._pitch[slot]
            if self._tick[slot] != tick or before is None or before <= pitch:
                break
            if self.fields[slot, PITCH] == ABSENT[PITCH]:
                break
            position -= 1
        return position

    def _open(self, position: int) -> None:
        """Make room for one step at `position`."""
        for moved in range(self.total, position, -1):
            self._move(moved - 1, moved)
        self.total += 1
        self.oldest = max(self.oldest, self.total - self.capacity)

    def _write(
        self,
        slot: int,
        role: Role,
        style: Floats,
        chord: int,
        metre: tuple[int, int, int],
        phrase: Floats,
        tick: int | None,
        pitch: int | None,
        onset: float,
        anchor: float,
    ) -> None:
        self.role[slot] = role
        self.style[slot] = style
        self.chord[slot] = chord
        self.metre[slot] = metre
        self.phrase[slot] = phrase
        self._tick[slot] = tick
        self._pitch[slot] = pitch
        self._onset[slot] = onset
        self._anchor[slot] = anchor
        self._arrival[slot] = self.arrivals
        self.arrivals += 1

    def _move(self, source: int, target: int) -> None:
        a, b = source % self.capacity, target % self.capacity
        self.fields[b] = self.fields[a]
        self.role[b] = self.role[a]
        self.style[b] = self.style[a]
        self.chord[b] = self.chord[a]
        self.metre[b] = self.metre[a]
        self.phrase[b] = self.phrase[a]
        self._tick[b] = self._tick[a]
        self._pitch[b] = self._pitch[a]
        self._onset[b] = self._onset[a]
        self._anchor[b] = self._anchor[a]
        self._arrival[b] = self._arrival[a]

    def _derive_shifts(self, first: int) -> None:
        """Derive the time shifts of the notes from `first` on; the first note of all has none."""
        for position in range(first, self.total):
            slot = position % self.capacity
            if self.fields[slot, PITCH] == ABSENT[PITCH]:
                continue
            before = self._tick[(position - 1) % self.capacity] if position else None
            tick = self._tick[slot]
            shift = 0 if before is None or tick is None else min(tick - before, _LONGEST)
            self.fields[slot, TIME_SHIFT] = _TIME_SHIFT_INDEX[shift]
