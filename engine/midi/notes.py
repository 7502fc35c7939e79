"""Notes, and the roles of who plays them."""

from dataclasses import dataclass
from enum import IntEnum

PITCH_LOWEST = 21
"""MIDI pitch of the lowest piano key (A0)."""

PITCH_HIGHEST = 108
"""MIDI pitch of the highest piano key (C8)."""

_OCTAVE = 12


class Role(IntEnum):
    """The player of a note; the values are the model's role embedding indices."""

    HUMAN = 0
    COMPANION = 1


@dataclass(frozen=True, slots=True)
class Note:
    """One sounded note.

    Attributes:
        onset: Seconds on the clock in use.
        duration: Seconds, greater than 0.
        pitch: MIDI pitch, 0 to 127.
        velocity: MIDI velocity, 1 to 127.
    """

    onset: float
    duration: float
    pitch: int
    velocity: int

    @property
    def offset(self) -> float:
        """Seconds at which the note ends."""
        return self.onset + self.duration


def fold_pitch(pitch: int) -> int:
    """Return the pitch moved by octaves onto the piano's keys, 21 to 108."""
    if pitch < PITCH_LOWEST:
        return pitch + _OCTAVE * -((pitch - PITCH_LOWEST) // _OCTAVE)
    if pitch > PITCH_HIGHEST:
        return pitch - _OCTAVE * -((PITCH_HIGHEST - pitch) // _OCTAVE)
    return pitch
