"""The ports of a session while their driver raises whatever it likes."""

import threading

import pytest
import rtmidi

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.errors import PortError
from tatumflow.live.midi import midi_ports, port_set
from tatumflow.live.midi.midi_ports import PortNames, PortScanner
from tatumflow.live.midi.outputs import MidiSink, Outputs
from tatumflow.live.midi.port_set import PortSet
from tatumflow.live.settings import PortSettings

PATIENCE = 20.0
RAISED = [
    rtmidi.SystemError("the server is gone"),
    rtmidi.InvalidPortError("no such port"),
    rtmidi.InvalidUseError("not open"),
    rtmidi.MemoryAllocationError("no memory"),
    rtmidi.RtMidiError("something else"),
    OSError(5, "Input/output error"),
]


class BrokenPort:
    """A port of RtMidi's at which everything raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send_message(self, message):
        raise self._error

    def get_ports(self):
        raise self._error

    def open_port(self, port, name):
        raise self._error

    def open_virtual_port(self, name):
        raise self._error

    def close_port(self):
        pass

    def delete(self):
        pass


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_sending_never_raises(error):
    MidiSink("hall", BrokenPort(error)).send((0x90, 60, 90))


@pytest.mark.parametrize("error", [*RAISED, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text")])
def test_a_list_of_ports_that_cannot_be_had_is_a_port_error(error, monkeypatch):
    for make in ("new_input", "new_output"):
        monkeypatch.setattr(midi_ports, make, lambda *_: BrokenPort(error))
    with pytest.raises(PortError, match="cannot be listed"):
        PortScanner("alsa", "TatumFlow").scan()


class Hall:
    """An output that there is."""

    def __init__(self, *_: object) -> None:
        pass

    def send_message(self, message):
        pass

    def close_port(self):
        pass

    def delete(self):
        pass


@pytest.mark.parametrize(
    "error", [*RAISED, ZeroDivisionError("a fault of ours")], ids=lambda e: type(e).__name__
)
def test_ports_are_found_again_after_an_error_that_is_said_once(error, monkeypatch):
    looks, notices, connected = [], [], threading.Event()

    class Scanner:
        def __init__(self, *_):
            pass

        def scan(self):
            looks.append(1)
            if 1 < len(looks) < 5:
                raise error
            return PortNames((), ("hall",) if len(looks) > 5 else ())

        def close(self):
            pass

    monkeypatch.setattr(port_set, "PortScanner", Scanner)
    monkeypatch.setattr(port_set, "working_api", lambda _: "alsa")
    monkeypatch.setattr(port_set, "new_output", Hall)
    monkeypatch.setattr(port_set, "connect", lambda *_: connected.set())
    monkeypatch.setattr(port_set, "end_sending", lambda _: None)
    monkeypatch.setattr(port_set, "POLL_SECONDS", 0.01)
    clock = SystemClock()
    ports = PortSet(
        PortSettings(virtual=False, input="", output="hall"),
        clock,
        Outputs(clock, thru=True),
        lambda _: None,
        lambda text, _: notices.append(text),
    )
    ports.open()
    assert connected.wait(PATIENCE), "the look-out has ended"
    ports.close()
    assert sum(str(error) in text for text in notices) == 1, notices
