"""The opening of a turn: notes with which it begins as given, before the model samples any."""

from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import Note

_LATE: Final = 0.03
"""Seconds by which a note of the opening may still begin late; a later one is left out."""

_SHORTEST: Final = 0.05
_OCTAVE: Final = 12


@dataclass(frozen=True, slots=True)
class Opening:
    """One line of notes, and the time that it fills.

    Attributes:
        notes: By onset, one at a time; empty for no opening.
        begins_at: Seconds.
        ends_at: Seconds before which the model samples no note.
    """

    notes: tuple[Note, ...] = ()
    begins_at: float = -inf
    ends_at: float = -inf

    def following(self, previous_onset: float, earliest: float, controls: Controls) -> Note | None:
        """Return the first note after `previous_onset` that may begin at `earliest` seconds or later.

        Pitches outside the register of the controls are moved into it by octaves; notes outside it all the
        same, or outside the pitch classes, are left out. None where no note is left.
        """
        for note in self.notes:
            if note.onset <= previous_onset:
                continue
            if note.onset < earliest:
                if earliest - note.onset > _LATE or note.offset - earliest < _SHORTEST:
                    continue
                note = replace(note, onset=earliest, duration=note.offset - earliest)
            pitch = _within_register(note.pitch, controls.register_low, controls.register_high)
            if pitch is not None and controls.pitch_classes >> pitch % _OCTAVE & 1:
                return note if pitch == note.pitch else replace(note, pitch=pitch)
        return None


NO_OPENING: Final = Opening()
"""Of turns in which the model samples every note."""


def _within_register(pitch: int, low: int, high: int) -> int | None:
    """Return a pitch moved by octaves to `low` to `high`; None where none of them lies there."""
    if pitch < low:
        pitch += _OCTAVE * ceil((low - pitch) / _OCTAVE)
    elif pitch > high:
        pitch -= _OCTAVE * ceil((pitch - high) / _OCTAVE)
    return pitch if low <= pitch <= high else None
