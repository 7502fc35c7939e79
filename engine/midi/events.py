"""MIDI events into and out of the engine: typed, with times in seconds, immutable."""

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
    """The input port disappeared: its held keys count as released."""

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
    """The song goes on with the next tick, where it stopped or at the last song position."""

    time: float
    port: str = ""


@dataclass(frozen=True, slots=True)
class ClockStop:
    """The song stops."""

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
    """The beat at `time` seconds of a clock without jitter, such as Link. `tempo` in beats per minute."""

    time: float
    beat: float
    tempo: float


HumanEvent = NoteOn | NoteOff | ControlChange | InputLost
"""Events of the human's ports."""

ClockEvent = ClockTick | ClockStart | ClockContinue | ClockStop | SongPosition
"""Events of MIDI clock."""

TimeEvent = ClockEvent | BeatReport
"""Events of clocks: MIDI clock and Ableton Link."""

InputEvent = HumanEvent | TimeEvent
"""Every event into the engine."""

NoteEvent = NoteOn | NoteOff | ControlChange
"""Events that start, end or change sound."""

OutputEvent = NoteEvent | ClockEvent
"""Events that the scheduler sends."""
