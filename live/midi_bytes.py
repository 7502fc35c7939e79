"""MIDI bytes to typed events and back (MIDI 1.0 Detailed Specification 4.2, "Data Format")."""

from collections.abc import Iterable, Iterator
from typing import Final

from tatumflow.engine.events import (
    ALL_NOTES_OFF,
    SUSTAIN,
    ControlChange,
    HumanEvent,
    NoteOff,
    NoteOn,
    OutputEvent,
)

NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
CONTROL_CHANGE: Final = 0xB0

_DATA_BYTES: Final = (2, 2, 2, 2, 1, 1, 2)
"""Data bytes of the channel messages 0x8n to 0xEn."""

Message = tuple[int, ...]
"""One whole channel message: a status byte and its one or two data bytes."""


class MessageParser:
    """Cuts what a port delivers into whole channel messages; any bytes whatever are accepted.

    Running status and messages split or joined by the driver are put right. System messages (SysEx, clock,
    active sensing, song position) are passed over, and so are data bytes that belong to nothing.
    """

    def __init__(self) -> None:
        self._status = 0
        self._data: list[int] = []

    def feed(self, message: Iterable[int]) -> Iterator[Message]:
        """Yield the channel messages that these bytes complete, each with a status byte of its own."""
        for byte in message:
            if byte >= 0xF8:
                continue
            if byte >= 0x80:
                self._status = byte if byte < 0xF0 else 0
                self._data.clear()
            elif self._status:
                self._data.append(byte)
                if len(self._data) == _DATA_BYTES[(self._status >> 4) - 8]:
                    yield (self._status, *self._data)
                    self._data.clear()


def human_event(message: Message, time: float) -> HumanEvent | None:
    """Return what a channel message means to the engine, None if it takes no interest in it.

    Args:
        message: From `MessageParser`.
        time: Seconds at which it arrived.
    """
    kind, channel = message[0] & 0xF0, message[0] & 0x0F
    if kind == NOTE_ON and message[2]:
        return NoteOn(time, message[1], message[2], channel)
    if kind in (NOTE_ON, NOTE_OFF):
        return NoteOff(time, message[1], channel)
    if kind == CONTROL_CHANGE:
        return ControlChange(time, message[1], message[2], channel)
    return None


def packed(event: OutputEvent, channel: int) -> Message:
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
