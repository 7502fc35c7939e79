"""A piano roll: what each of 128 pitches does at each step of a grid.

A cell is silent, an onset, or held from the step before. Without onsets of their own, repeated notes would
merge into one.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

PITCHES: Final = 128
"""Rows of a roll, one for each MIDI pitch."""

STATES: Final = 3
"""States of a cell: `SILENT`, `ONSET`, `HELD`."""

SILENT, ONSET, HELD = range(STATES)


@dataclass(frozen=True)
class Roll:
    """A piano roll of W steps.

    Attributes:
        state: State of each cell, (128, W) int8.
        velocity: MIDI velocity of each onset, (128, W) uint8; 0 in other cells and where it is unknown.
    """

    state: NDArray[np.int8]
    velocity: NDArray[np.uint8]

    @classmethod
    def silent(cls, width: int) -> Self:
        """Return a roll of `width` steps without notes."""
        return cls(np.zeros((PITCHES, width), np.int8), np.zeros((PITCHES, width), np.uint8))

    @property
    def width(self) -> int:
        """Number of steps, W."""
        return self.state.shape[1]

    @property
    def onsets(self) -> int:
        """Number of notes that begin in it."""
        return int((self.state == ONSET).sum())

    def crop(self, start: int, stop: int) -> Self:
        """Return steps `start` to `stop`; those beyond the roll are silent."""
        lead, trail = max(-start, 0), max(stop - self.width, 0)
        columns = slice(max(start, 0), max(min(stop, self.width), 0))
        pad = ((0, 0), (min(lead, stop - start), min(trail, stop - start)))
        return replace(
            self, state=np.pad(self.state[:, columns], pad), velocity=np.pad(self.velocity[:, columns], pad)
        )

    def with_part(self, part: "Roll", start: int) -> Self:
        """Return the roll with its steps from `start` on replaced by those of a part that lies in it."""
        state, velocity = self.state.copy(), self.velocity.copy()
        state[:, start : start + part.width] = part.state
        velocity[:, start : start + part.width] = part.velocity
        return replace(self, state=state, velocity=velocity)

    def transposed(self, semitones: int) -> Self:
        """Return the roll moved by semitones; pitches moved beyond 0 to 127 are lost."""
        state, velocity = np.roll(self.state, semitones, 0), np.roll(self.velocity, semitones, 0)
        lost = slice(0, semitones) if semitones >= 0 else slice(semitones, None)
        state[lost], velocity[lost] = SILENT, 0
        return replace(self, state=state, velocity=velocity)


def stray_held(roll: Roll) -> NDArray[np.bool_]:
    """Return the held cells that continue no note, (128, W): a run of them follows silence, or the start."""
    before = np.pad(roll.state, ((0, 0), (1, 0)))[:, :-1]
    stray = (roll.state == HELD) & (before == SILENT)
    for step in range(1, roll.width):
        stray[:, step] |= (roll.state[:, step] == HELD) & stray[:, step - 1]
    return stray
