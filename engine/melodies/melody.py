"""Melodies as events on a grid of sixteenths in 4/4, as MusicVAE reads them.

Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music",
section 4. Here the pitches are the piano's 88, not all of MIDI's, as everywhere in TatumFlow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST

STEPS_PER_BEAT: Final = 4
BEATS_PER_BAR: Final = 4
STEPS_PER_BAR: Final = STEPS_PER_BEAT * BEATS_PER_BAR

NOTE_OFF: Final = 0
"""The sounding note ends and a rest follows."""

HOLD: Final = 1
"""Nothing changes: the note or the rest goes on."""

FIRST_PITCH: Final = 2
"""The event of a note on the lowest pitch; it ends the note before."""

NUM_EVENTS: Final = FIRST_PITCH + PITCH_HIGHEST - PITCH_LOWEST + 1

_HIDDEN_STEPS: Final = 2
"""Steps that a higher note must still sound to hide a lower one: slurred notes overlap by less."""

_ARTICULATION: Final = 1
"""Longest gap in steps between two notes that is not a rest."""


@dataclass(frozen=True, order=True)
class GridNote:
    """A note on the grid.

    Attributes:
        step: Its first step.
        steps: Its length, at least 1.
        pitch: MIDI pitch, 21 to 108.
    """

    step: int
    steps: int
    pitch: int


@dataclass(frozen=True)
class Melody:
    """A melody of whole bars.

    Attributes:
        events: One event a step, each 0 to `NUM_EVENTS` - 1.

    Raises:
        ValueError: if it has no whole number of bars, or an event is out of range.
    """

    events: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.events or len(self.events) % STEPS_PER_BAR:
            raise ValueError(f"{len(self.events)} steps are no whole bars of {STEPS_PER_BAR}")
        if not all(0 <= event < NUM_EVENTS for event in self.events):
            raise ValueError(f"an event is outside 0 to {NUM_EVENTS - 1}")

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.events) // STEPS_PER_BAR

    @property
    def array(self) -> NDArray[np.int64]:
        """The events, (steps,)."""
        return np.array(self.events, np.int64)

    def notes(self) -> tuple[GridNote, ...]:
        """Return its notes in order."""
        found: list[GridNote] = []
        begun: tuple[int, int] | None = None
        for step, event in enumerate((*self.events, NOTE_OFF)):
            if event == HOLD:
                continue
            if begun is not None:
                found.append(GridNote(begun[0], step - begun[0], begun[1]))
            begun = (step, pitch_of(event)) if event >= FIRST_PITCH else None
        return tuple(found)


def pitch_of(event: int) -> int:
    """Return the MIDI pitch of a note's event."""
    return event - FIRST_PITCH + PITCH_LOWEST


def event_of(pitch: int) -> int:
    """Return the event of a note of a MIDI pitch, 21 to 108."""
    return pitch - PITCH_LOWEST + FIRST_PITCH


def melody_of(notes: Iterable[GridNote], bars: int) -> Melody:
    """Return a melody of monophonic or polyphonic notes; see `event_row`."""
    return Melody(tuple(event_row(notes, bars * STEPS_PER_BAR).tolist()))


def event_row(notes: Iterable[GridNote], steps: int) -> Ints:
    """Return the events, (steps,) int64, of the highest line of notes.

    Of notes on one step the longest stays, then the highest. A note that begins under a higher one which
    sounds for an eighth or more is left out. A gap of one step before the next note is articulation, not a
    rest, and is closed. Notes before the first step and after the last one are left out, and longer ones cut.
    """
    row = np.full(steps, HOLD, np.int64)
    sounding: GridNote | None = None
    for note in _one_a_step(note for note in notes if 0 <= note.step < steps):
        if sounding is not None:
            end = sounding.step + sounding.steps
            if sounding.pitch > note.pitch and end - note.step >= _HIDDEN_STEPS:
                continue
            if end + _ARTICULATION < note.step:
                row[end] = NOTE_OFF
        row[note.step] = event_of(note.pitch)
        sounding = note
    if sounding is not None and sounding.step + sounding.steps < steps:
        row[sounding.step + sounding.steps] = NOTE_OFF
    return row


def begun_within(events: Ints) -> Ints:
    """Return events (..., steps) of which the end of a note that began before them is removed."""
    heard = np.maximum.accumulate(events >= FIRST_PITCH, axis=-1)
    return np.where((events == NOTE_OFF) & ~heard, HOLD, events)


def transposed(events: Ints, semitones: int | Ints) -> Ints:
    """Return events with their pitches moved; they must stay on the piano."""
    return np.where(events >= FIRST_PITCH, events + semitones, events)


def _one_a_step(notes: Iterable[GridNote]) -> Iterator[GridNote]:
    best: dict[int, GridNote] = {}
    for note in notes:
        rival = best.get(note.step)
        if rival is None or (note.steps, note.pitch) > (rival.steps, rival.pitch):
            best[note.step] = note
    for step in sorted(best):
        yield best[step]
