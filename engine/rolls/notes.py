"""Notes to rolls, and back."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.rolls.grid import StepGrid
from tatumflow.engine.rolls.roll import HELD, ONSET, Roll

UNKNOWN_VELOCITY: Final = 64
"""Velocity that a note is played with where the roll holds none."""

_NEAREST: Final = 0.25
"""Steps by which an end may lie beyond a step and still not sound in it."""


def fill_cells(
    roll: Roll,
    onset: NDArray[np.float64],
    end: NDArray[np.float64],
    pitch: NDArray[np.int64],
    velocity: NDArray[np.int64],
) -> None:
    """Write notes into the arrays of a roll, in place.

    Args:
        roll: The roll.
        onset: Steps, not rounded, ascending, (n,). Each note begins at the nearest step; those whose step
            lies outside are left out.
        end: Steps of the ends, (n,); a note lasts a step at least, and until its pitch sounds again at most.
        pitch: MIDI pitches, (n,).
        velocity: MIDI velocities, 0 for unknown ones, (n,).
    """
    first = np.floor(onset + 0.5).astype(np.int64)
    last = np.maximum(np.ceil(end - _NEAREST).astype(np.int64), first + 1)
    inside = (first >= 0) & (first < roll.width)
    for step, stop, key, force in zip(
        first[inside], last[inside], pitch[inside], velocity[inside], strict=True
    ):
        following = roll.state[key, step:]
        if following[0] == HELD:
            # The pitch sounds again: what was held from here on ends.
            rest = np.flatnonzero(following != HELD)
            following[: rest[0] if len(rest) else None] = 0
        roll.state[key, step:stop] = HELD
        roll.state[key, step] = ONSET
        roll.velocity[key, step] = max(int(force), int(roll.velocity[key, step]))


def roll_of(notes: Sequence[Note], grid: StepGrid, width: int, start: int = 0) -> Roll:
    """Return the roll of notes, sorted by onset, from step `start` of the grid on; see `fill_cells`."""
    roll = Roll.silent(width)
    if notes:
        fill_cells(
            roll,
            grid.steps([note.onset for note in notes]) - start,
            grid.steps([note.offset for note in notes]) - start,
            np.array([note.pitch for note in notes]),
            np.array([note.velocity for note in notes]),
        )
    return roll


def notes_of(roll: Roll, grid: StepGrid, start: int = 0) -> tuple[Note, ...]:
    """Return the notes of a roll that begins at step `start` of the grid, sorted by onset, then pitch.

    A held cell that continues no note sounds nothing.
    """
    steps, pitches = np.nonzero((roll.state == ONSET).T)
    held = roll.state == HELD
    ends = np.empty(len(steps), np.int64)
    for index, (step, pitch) in enumerate(zip(steps, pitches, strict=True)):
        rest = np.flatnonzero(~held[pitch, step + 1 :])
        ends[index] = step + 1 + (rest[0] if len(rest) else roll.width - step - 1)
    onsets, offsets = grid.seconds(steps + start), grid.seconds(ends + start)
    return tuple(
        Note(float(onset), float(offset - onset), int(pitch), int(force) or UNKNOWN_VELOCITY)
        for onset, offset, pitch, force in zip(
            onsets, offsets, pitches, roll.velocity[pitches, steps], strict=True
        )
    )
