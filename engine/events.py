"""MIDI events as they enter and leave the engine: typed, stamped, immutable."""

from dataclasses import dataclass

SUSTAIN = 64
"""Controller number of the sustain pedal."""

ALL_NOTES_OFF = 123
"""Controller number of the channel mode message All Notes Off."""


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A key going down. `time` in seconds, `velocity` 1 to 127, `channel` 0 to 15."""

    time: float
    pitch: int
    velocity: int
    channel: int = 0


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A key coming up. `time` in seconds, `channel` 0 to 15."""

    time: float
    pitch: int
    channel: int = 0


@dataclass(frozen=True, slots=True)
class ControlChange:
    """A controller moving. `number` and `value` 0 to 127, `channel` 0 to 15."""

    time: float
    number: int
    value: int
    channel: int = 0


@dataclass(frozen=True, slots=True)
class InputLost:
    """The input port disappeared: every key it held counts as released."""

    time: float


HumanEvent = NoteOn | NoteOff | ControlChange | InputLost
"""What the human's ports can say."""

OutputEvent = NoteOn | NoteOff | ControlChange
"""What the scheduler sends."""
