"""Counts of a sample's notes, and the limits beyond which they are faults."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.metrics.repetition import most_repeated_figure
from tatumflow.training.evaluate.metrics.texture import longest_silence, note_density
from tatumflow.training.evaluate.primers import Notes

FEWEST_NOTES: Final = 8
"""Fewest notes of a candidate without a fault."""

LONGEST_GAP: Final = 2.0
"""Longest silence of a candidate without a fault, in seconds."""

MOST_REPEATED: Final = 3
"""Largest count of a figure of 8 notes in `REPEATED_WITHIN`: of 926 such stretches of PiJAMA's and Weimar's
validation sides, at most one in a hundred exceeds it."""

REPEATED_WITHIN: Final = 20.0
"""Seconds."""

DENSEST: Final = 18.0
"""Largest number of notes per second: of the same stretches, one in a hundred exceeds it."""

_STEP: Final = REPEATED_WITHIN / 2


@dataclass(frozen=True)
class Texture:
    """Counts of a stretch of notes.

    Attributes:
        notes: Number of notes.
        density: Notes per second; 0 for an empty stretch.
        silence: Longest silence in seconds, those at both ends included.
        repeats: Largest count of a figure of 8 notes in `REPEATED_WITHIN`.
    """

    notes: int
    density: float
    silence: float
    repeats: int

    @property
    def faults(self) -> tuple[str, ...]:
        """What lies beyond the limits, in words."""
        if self.notes < FEWEST_NOTES:
            return (f"only {self.notes} notes",)
        faults: list[str] = []
        if self.silence > LONGEST_GAP:
            faults.append(f"{self.silence:.1f} s of silence")
        if self.density > DENSEST:
            faults.append(f"{self.density:.0f} notes a second")
        if self.repeats > MOST_REPEATED:
            faults.append(f"a figure {self.repeats} times")
        return tuple(faults)


def texture_of(notes: Notes, seconds: float) -> Texture:
    """Return the counts of a stretch.

    Args:
        notes: Its notes, onsets in seconds from its beginning.
        seconds: Its length.
    """
    if not len(notes) or seconds <= 0:
        return Texture(len(notes), 0.0, max(seconds, 0.0), 0)
    starts = np.arange(0.0, max(seconds - REPEATED_WITHIN, 0.0) + _STEP, _STEP).tolist()
    return Texture(
        len(notes),
        note_density(notes, seconds),
        longest_silence(notes, seconds),
        max(most_repeated_figure(stretch_of(notes, start, REPEATED_WITHIN)) for start in starts),
    )
