"""MIDI events as they enter and leave the engine: typed, stamped, immutable."""

from dataclasses import dataclass

SUSTAIN = 64
"""Controller number of the sustain pedal."""

ALL_SOUND_OFF = 120
"""Controller number of the channel mode message All Sound Off."""

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


@dataclass(frozen=True, slots=True)
class ClockTick:
    """A pulse of MIDI clock, of which 24 make a quarter note. `port` is the input it came from."""

    time: float
    port: str = ""


@dataclass(frozen=True, slots=True)
class ClockStart:
    """The next tick is the song's first."""

    time: float
    port: str = ""


@dataclass(frozen=True, slots=True)
class ClockContinue:
    """The song goes on with the next tick, where it stopped or where a song position has put it."""

    time: float
    port: str = ""


@dataclass(frozen=True, slots=True)
class ClockStop:
    """The song stands."""

    time: float
    port: str = ""


@dataclass(frozen=True, slots=True)
class SongPosition:
    """The next tick is that of a sixteenth note, counted from the song's beginning, 0 to 16383."""

    time: float
    sixteenths: int
    port: str = ""


@dataclass(frozen=True, slots=True)
class BeatReport:
    """Where the beat is, as a clock says that needs no filter. `tempo` in beats per minute."""

    time: float
    beat: float
    tempo: float


HumanEvent = NoteOn | NoteOff | ControlChange | InputLost
"""What the human's ports can say."""

ClockEvent = ClockTick | ClockStart | ClockContinue | ClockStop | SongPosition
"""What MIDI clock can say."""

TimeEvent = ClockEvent | BeatReport
"""What tells the time: MIDI clock, and a shared tempo's place."""

InputEvent = HumanEvent | TimeEvent
"""What comes in from outside."""

NoteEvent = NoteOn | NoteOff | ControlChange
"""What makes sound, or ends it."""

OutputEvent = NoteEvent | ClockEvent
"""What the scheduler sends."""
