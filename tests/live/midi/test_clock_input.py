"""What MIDI clock does at the ports: to the queue, to MIDI outputs, and nowhere else."""

import sys

import pytest

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.events import ClockStart, ClockTick, InputEvent, NoteOn, SongPosition
from tatumflow.live.midi.input_source import Source
from tatumflow.live.midi.link_clock import LinkClock
from tatumflow.live.midi.midi_bytes import Message
from tatumflow.live.midi.outputs import MidiSink, Outputs


class RecordingPort:
    """An output of RtMidi's, and a synthesizer, that remember what they are sent."""

    name = "recording"

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send_message(self, message: Message) -> None:
        self.sent.append(message)

    def send(self, message: Message) -> None:
        self.sent.append(message)


def test_clock_is_stamped_and_queued_and_neither_played_on_nor_taken_for_playing():
    clock, port, inbox = VirtualClock(7.0), RecordingPort(), list[InputEvent]()
    awoken: list[bool] = []
    outputs = Outputs(clock, thru=True)
    outputs.add(MidiSink("out", port))  # pyright: ignore[reportArgumentType]
    source = Source("daw", port)  # pyright: ignore[reportArgumentType]
    receive = source.receiver(outputs, clock, inbox.append, lambda: awoken.append(True), 1.0)
    receive(([0xFA], 0.0))
    receive(([0xF8, 0xF2, 1, 1], 0.0))
    assert inbox == [ClockStart(7.0, "daw"), ClockTick(7.0, "daw"), SongPosition(7.0, 129, "daw")]
    assert (port.sent, awoken, source.last_activity) == ([], [], None)
    receive(([0x90, 60, 0xF8, 80], 0.0))
    assert inbox[3:] == [ClockTick(7.0, "daw"), NoteOn(7.0, 60, 80)]
    assert (port.sent, awoken) == ([(0x90, 60, 80)], [True])


def test_clock_goes_out_to_midi_outputs_and_not_to_the_synthesizer():
    port, synth = RecordingPort(), RecordingPort()
    outputs = Outputs(VirtualClock(), thru=True)
    outputs.add(MidiSink("out", port))  # pyright: ignore[reportArgumentType]
    outputs.add(synth)
    outputs.send_clock(SongPosition(0.0, 300))
    outputs.send_clock(ClockTick(0.0))
    assert port.sent == [(0xF2, 44, 2), (0xF8,)]
    assert synth.sent == []


def test_link_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "aalink", None)
    with pytest.raises(DeviceError, match="pip install aalink"):
        LinkClock(VirtualClock(), 120.0, lambda report: None)
