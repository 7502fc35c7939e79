"""MIDI bytes to typed events and back (MIDI 1.0 Detailed Specification 4.2, "Data Format")."""

from collections.abc import Iterable, Iterator
from typing import Final

from tatumflow.engine.midi.events import (
    ALL_NOTES_OFF,
    SUSTAIN,
    ClockContinue,
    ClockEvent,
    ClockStart,
    ClockStop,
    ClockTick,
    ControlChange,
    HumanEvent,
    NoteEvent,
    NoteOff,
    NoteOn,
    SongPosition,
)

NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
CONTROL_CHANGE: Final = 0xB0
SYSTEM: Final = 0xF0
SONG_POSITION: Final = 0xF2
TICK: Final = 0xF8
START: Final = 0xFA
CONTINUE: Final = 0xFB
STOP: Final = 0xFC

_DATA_BYTES: Final = (2, 2, 2, 2, 1, 1, 2, 2)
"""Data bytes of the channel messages 0x8n to 0xEn, and of the song position."""

_CLOCK: Final = (TICK, START, CONTINUE, STOP)

Message = tuple[int, ...]
"""One whole message: a status byte and its data bytes, none to two."""


class MessageParser:
    """Cuts what a port delivers into whole messages; any bytes are accepted.

    Running status and messages split or joined by the driver are put right. Of the system messages, MIDI
    clock and song position are taken; the others (SysEx, active sensing) are passed over, and so are data
    bytes that belong to nothing.
    """

    def __init__(self, transpose: int = 0) -> None:
        """Move notes by `transpose` semitones; those that leave 0 to 127 are dropped."""
        self._transpose = transpose
        self._status = 0
        self._data: list[int] = []

    def feed(self, message: Iterable[int]) -> Iterator[Message]:
        """Yield the messages that these bytes complete, each with a status byte of its own."""
        for byte in message:
            if byte >= 0xF8:
                if byte in _CLOCK:
                    yield (byte,)
                continue
            if byte >= 0x80:
                self._status = byte if byte < SYSTEM or byte == SONG_POSITION else 0
                self._data.clear()
            elif self._status:
                self._data.append(byte)
                if len(self._data) == _DATA_BYTES[(self._status >> 4) - 8]:
                    if self._transpose and self._status < CONTROL_CHANGE:
                        self._data[0] += self._transpose
                    if 0 <= self._data[0] < 0x80:
                        yield (self._status, *self._data)
                    self._data.clear()
                    if self._status == SONG_POSITION:
                        self._status = 0


def human_event(message: Message, time: float) -> HumanEvent | None:
    """Return the event of a channel message that came at `time` seconds, None if the engine has none."""
    kind, channel = message[0] & 0xF0, message[0] & 0x0F
    if kind == NOTE_ON and message[2]:
        return NoteOn(time, message[1], message[2], channel)
    if kind in (NOTE_ON, NOTE_OFF):
        return NoteOff(time, message[1], channel)
    if kind == CONTROL_CHANGE:
        return ControlChange(time, message[1], message[2], channel)
    return None


def clock_event(message: Message, time: float, port: str) -> ClockEvent | None:
    """Return the clock event of a system message that came at `time` seconds from a port; None if none."""
    match message:
        case (0xF8,):
            return ClockTick(time, port)
        case (0xFA,):
            return ClockStart(time, port)
        case (0xFB,):
            return ClockContinue(time, port)
        case (0xFC,):
            return ClockStop(time, port)
        case (0xF2, low, high):
            return SongPosition(time, high << 7 | low, port)
    return None


def packed_clock(event: ClockEvent) -> Message:
    """Return a clock event as the bytes to send."""
    match event:
        case ClockTick():
            return (TICK,)
        case ClockStart():
            return (START,)
        case ClockContinue():
            return (CONTINUE,)
        case ClockStop():
            return (STOP,)
        case SongPosition(sixteenths=sixteenths):
            return (SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7 & 0x7F)


def packed(event: NoteEvent, channel: int) -> Message:
    """Return an event as the bytes to send on a channel 0 to 15."""
    if isinstance(event, NoteOn):
        return (NOTE_ON | channel, event.pitch, event.velocity)
    if isinstance(event, NoteOff):
        return (NOTE_OFF | channel, event.pitch, 0)
    return (CONTROL_CHANGE | channel, event.number, event.value)


def silence(channels: Iterable[int] = range(16)) -> Iterator[Message]:
    """Yield, for each channel, sustain pedal up and All Notes Off."""
    for channel in channels:
        yield (CONTROL_CHANGE | channel, SUSTAIN, 0)
        yield (CONTROL_CHANGE | channel, ALL_NOTES_OFF, 0)
