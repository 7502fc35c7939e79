"""Everything that sounds: MIDI outputs and the synthesizer, and what is sounding on them."""

from typing import Protocol

from tatumflow.engine.clock import Clock
from tatumflow.engine.midi.events import SUSTAIN, ClockEvent, NoteEvent
from tatumflow.live.midi.midi_bytes import (
    CONTROL_CHANGE,
    NOTE_OFF,
    NOTE_ON,
    Message,
    packed,
    packed_clock,
    silence,
)
from tatumflow.live.midi.midi_ports import MIDI_ERRORS, OutputPort


class Sink(Protocol):
    """One place that MIDI messages go to."""

    @property
    def name(self) -> str:
        """Return its name, as the user knows it."""
        ...

    def send(self, message: Message) -> None:
        """Play a whole channel message. Called from several threads; never raises, never blocks."""


class MidiSink:
    """An open MIDI output."""

    def __init__(self, name: str, port: OutputPort) -> None:
        self.name = name
        # Kept because RtMidi closes a port as soon as nothing refers to it.
        self.port = port

    def send(self, message: Message) -> None:
        """Send a message; a port that has just been unplugged swallows it."""
        try:
            self.port.send_message(message)
        except MIDI_ERRORS:
            return


class Ledger:
    """Which keys and pedals are down: one byte a pitch and channel, so that noting one costs nothing."""

    def __init__(self) -> None:
        self._keys = bytearray(16 * 128)
        self._pedals = bytearray(16)

    def note(self, message: Message) -> None:
        """Take account of a message that is being played."""
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == NOTE_ON:
            self._keys[channel << 7 | message[1]] = message[2] > 0
        elif kind == NOTE_OFF:
            self._keys[channel << 7 | message[1]] = 0
        elif kind == CONTROL_CHANGE and message[1] == SUSTAIN:
            self._pedals[channel] = message[2] > 0

    def anything_down(self) -> bool:
        """Return whether a key or a pedal is down."""
        return any(self._keys) or any(self._pedals)

    def releases(self) -> list[Message]:
        """Return the messages that release every key and pedal that is down."""
        keys: list[Message] = [
            (NOTE_OFF | index >> 7, index & 127, 0) for index, down in enumerate(self._keys) if down
        ]
        pedals: list[Message] = [
            (CONTROL_CHANGE | channel, SUSTAIN, 0) for channel, down in enumerate(self._pedals) if down
        ]
        return keys + pedals


class Outputs:
    """Sends what user and companion play to every sink, and can end all of it."""

    def __init__(self, clock: Clock, *, thru: bool) -> None:
        """Start without a sink; `thru` plays the messages of the user too, on the channels they came on."""
        self._clock = clock
        self._thru = thru
        self._ledger = Ledger()
        # Replaced as a whole, never changed in place: the threads that send read it without a lock.
        self.sinks: tuple[Sink, ...] = ()
        self.last_activity: float | None = None
        self._sending_to: Sink | None = None

    @property
    def sending_to(self) -> str:
        """Name of the sink that has not returned from its last message; empty if every one has."""
        sink = self._sending_to
        return "" if sink is None else sink.name

    def add(self, sink: Sink) -> None:
        """Play on this sink too."""
        self.sinks = (*self.sinks, sink)

    def remove(self, sink: Sink) -> None:
        """End what sounds on a sink, and play on it no more."""
        self.sinks = tuple(kept for kept in self.sinks if kept is not sink)
        for message in (*self._ledger.releases(), *silence()):
            sink.send(message)

    def human(self, message: Message) -> None:
        """Play a message of the user's at once; for the MIDI callback."""
        if self._thru:
            self._send(message)

    def send_clock(self, event: ClockEvent) -> None:
        """Send a clock event to the MIDI outputs at once; for the scheduler."""
        message = packed_clock(event)
        for sink in self.sinks:
            if isinstance(sink, MidiSink):
                sink.send(message)

    def play(self, event: NoteEvent, channel: int) -> None:
        """Play an event at once on a channel 0 to 15; for the scheduler."""
        self._send(packed(event, channel))

    def silence(self) -> None:
        """Panic: every sounding note's off, then pedal up and All Notes Off on every channel."""
        for message in (*self._ledger.releases(), *silence()):
            self._send(message)

    def _send(self, message: Message) -> None:
        self._ledger.note(message)
        for sink in self.sinks:
            self._sending_to = sink
            sink.send(message)
        self._sending_to = None
        self.last_activity = self._clock.now()
