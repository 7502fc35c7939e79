"""Open Sound Control over a real socket."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.messages import (
    BeginBars,
    Command,
    GoToSection,
    Panic,
    PassTurn,
    SetControl,
    StopBars,
    TapTempo,
)
from tatumflow.live.commands.jam import JamOptions
from tatumflow.live.settings import OscSettings
from tatumflow.live.soak.flooding import osc_message
from tatumflow.live.steering.osc import OscListener
from tatumflow.live.steering.osc_packet import address_of, first_argument

PATIENCE = 10.0
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Heard:
    """A listener, a client that sends to it, and what came of it."""

    client: SimpleUDPClient
    commands: SimpleQueue[Command] = field(default_factory=SimpleQueue)
    lines: list[str] = field(default_factory=list)

    def next(self) -> Command:
        return self.commands.get(timeout=PATIENCE)

    def after(self, send: Callable[[], None]) -> list[Command]:
        """Return the commands that come of what `send` sends, which a tap after it marks the end of."""
        send()
        self.client.send_message("/tatumflow/tap", [])
        return list(iter(self.next, TapTempo(7.0)))


@pytest.fixture
def heard() -> Iterator[Heard]:
    port = free_port()
    heard = Heard(SimpleUDPClient(HOST, port))
    listener = OscListener(
        HOST,
        port,
        VirtualClock(7.0),
        heard.commands.put,
        lambda text, severity: heard.lines.append(text),
    )
    yield heard
    listener.close()


@pytest.mark.parametrize(
    ("address", "arguments", "command"),
    [
        ("temperature", 0.5, SetControl("temperature", 0.5)),
        ("style", "charlie-parker", SetControl("style", "charlie-parker")),
        ("max_polyphony", 3.9999, SetControl("max_polyphony", 4)),
        ("seed", 7, SetControl("seed", 7)),
        ("clock_out", True, SetControl("clock_out", True)),
        ("density", [-1.0, 3], SetControl("density", -1.0)),
        ("turn", [], PassTurn()),
        ("turn", 1.0, PassTurn()),
        ("bars", [], BeginBars()),
        ("stop", [], StopBars()),
        ("section", 1.0, GoToSection(1)),
        ("repeat", [], GoToSection(0)),
        ("tap", "now", TapTempo(7.0)),
    ],
)
def test_every_message_is_a_command(heard: Heard, address: str, arguments: object, command: Command):
    heard.client.send_message(f"/tatumflow/{address}", arguments)  # pyright: ignore[reportArgumentType]
    received = heard.next()
    assert received == command
    assert type(getattr(received, "value", None)) is type(getattr(command, "value", None))


def test_a_button_that_is_released_does_nothing(heard: Heard):
    def press_and_release() -> None:
        for value in (1, 0, 1.0, 0.0, True, False):
            heard.client.send_message("/tatumflow/turn", value)

    assert heard.after(press_and_release) == [PassTurn()] * 3


def test_a_bundle_is_taken_apart_and_not_waited_for(heard: Heard):
    bundle = OscBundleBuilder(time.time() + 3600)  # pyright: ignore[reportArgumentType]
    for name in ("swing", "grid_pull"):
        message = OscMessageBuilder(f"/tatumflow/{name}")
        message.add_arg(0.25)
        bundle.add_content(message.build())
    commands = heard.after(lambda: heard.client.send(bundle.build()))
    assert commands == [SetControl("swing", 0.25), SetControl("grid_pull", 0.25)]


def test_what_means_nothing_is_said_once(heard: Heard):
    def nonsense() -> None:
        for _ in range(3):
            heard.client.send_message("/tatumflow/loudness", 1.0)
            heard.client.send_message("/mixer/fader", 1.0)
            heard.client.send_message("/tatumflow/swing", [])

    assert heard.after(nonsense) == []
    assert len(heard.lines) == 3
    assert "no OSC address '/tatumflow/loudness'" in heard.lines[0]
    assert "/tatumflow/swing needs a number or a word" in heard.lines[2]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=64), st.binary(max_size=40).map(lambda data: b"#bundle\0" + data)))
def test_any_packet_is_survived(heard: Heard, packet: bytes):
    send_raw(heard, packet)
    assert heard.after(lambda: None) == []


def test_bundles_within_bundles_to_any_depth_are_survived(heard: Heard):
    packet = b""
    while len(packet) < 60_000:
        packet = b"#bundle\0" + (1).to_bytes(8, "big") + len(packet).to_bytes(4, "big") + packet
    send_raw(heard, packet)
    assert heard.after(lambda: None) == []
    assert len(heard.lines) == 1


def test_a_port_that_is_taken_is_named():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(DeviceError, match=f"no OSC at 127.0.0.1:{port}"):
            OscListener(HOST, port, VirtualClock(), lambda _: None, lambda *_: None)


def test_the_command_line_chooses_the_port(tmp_path):
    file = tmp_path / "settings.yaml"
    assert JamOptions(changes={"osc.port": 9000}, settings_file=file).settings().osc == OscSettings(port=9000)
    with pytest.raises(SettingError, match=r"osc\.port"):
        JamOptions(changes={"osc.port": 70_000}, settings_file=file).settings()


def test_no_file_of_a_melody_is_opened(heard: Heard) -> None:
    commands = heard.after(lambda: heard.client.send_message("/tatumflow/head", "/etc/passwd"))
    assert commands == []
    assert "opens no files" in heard.lines[0]


def test_a_chart_is_text_or_a_name_and_never_a_file(heard: Heard, tmp_path: Path) -> None:
    pipe = tmp_path / "x.txt"
    os.mkfifo(pipe)

    def send(chords: str) -> list[Command]:
        return heard.after(lambda: heard.client.send_message("/tatumflow/chords", chords))

    assert send(str(pipe)) == send("F7 | H7") == []
    for chords in ("blues in F", "", "{time: 3/4} Dm7 | G7"):
        assert send(chords) == [SetControl("chords", chords)]
    file, wrong = heard.lines
    assert "is the name of a file, which is not read here" in file
    assert "bar 2: chord 'H7'" in wrong
    assert "\n" not in file + wrong


def test_of_values_that_come_together_the_newest_between_actions_are_passed_on():
    commands = list[Command]()
    listener = OscListener(HOST, free_port(), VirtualClock(7.0), commands.append, lambda *_: None)
    listener.close()
    packets: list[bytes] = []
    for step in range(100):
        packets += [
            osc_message("/tatumflow/temperature", step / 128),
            osc_message("/tatumflow/swing", step / 128),
        ]
    packets += [osc_message("/tatumflow/tap"), osc_message("/tatumflow/swing", 0.25)]
    listener._take(packets)
    assert commands == [
        SetControl("temperature", 99 / 128),
        SetControl("swing", 99 / 128),
        TapTempo(7.0),
        SetControl("swing", 0.25),
    ]


def test_panic_is_passed_on_first_and_no_turn_begins_after_it():
    commands = list[Command]()
    listener = OscListener(HOST, free_port(), VirtualClock(7.0), commands.append, lambda *_: None)
    listener.close()
    turn, panic = osc_message("/tatumflow/turn"), osc_message("/tatumflow/panic")
    listener._take([osc_message("/tatumflow/swing", 0.5), turn, panic, panic, turn])
    assert commands == [Panic(), SetControl("swing", 0.5), PassTurn()]


def test_a_flood_is_taken_together_and_its_last_value_arrives(heard: Heard):
    def flood() -> None:
        for step in range(2000):
            heard.client.send_message("/tatumflow/temperature", step / 2000)
            if step % 50 == 0:
                time.sleep(0.002)
        heard.client.send_message("/tatumflow/temperature", 2.0)
        time.sleep(0.05)

    commands = heard.after(flood)
    assert commands[-1] == SetControl("temperature", 2.0)
    assert len(commands) < 1500


def send_raw(heard: Heard, packet: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(packet, ("127.0.0.1", heard.client._port))


def test_garbage_is_neither_logged_nor_said_more_than_once(
    heard: Heard, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    def garbage() -> None:
        for _ in range(40):
            send_raw(heard, b"/tatumflow/swing\0\0\0\0,xyzuvw\0")
            send_raw(heard, b"\xff\xfe garbage")
            send_raw(heard, b"#bundle\0\0\0\0\0\0\0\0\1\0\0\0\4/x\0\0")

    assert heard.after(garbage) == []
    assert len(heard.lines) == 3
    assert caplog.records == []
    assert capfd.readouterr().err == ""


class BrokenSocket:
    """A socket that fails for good."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.tries = 0

    def recv_into(self, buffer: bytearray) -> int:
        self.tries += 1
        raise OSError(19, "No such device")

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()


def test_a_socket_that_fails_for_good_is_given_up_with_a_line(monkeypatch: pytest.MonkeyPatch):
    port, lines = free_port(), list[str]()
    monkeypatch.setattr("tatumflow.live.steering.osc._FIRST_BACK_OFF", 0.001)
    listener = OscListener(HOST, port, VirtualClock(), lambda _: None, lambda text, _: lines.append(text))
    broken = BrokenSocket(listener._socket)
    listener._socket = broken  # pyright: ignore[reportAttributeAccessIssue]
    SimpleUDPClient("127.0.0.1", port).send_message("/tatumflow/turn", 1)
    listener._thread.join(30.0)
    assert not listener._thread.is_alive()
    assert broken.tries < 20
    assert lines == [f"OSC at 127.0.0.1:{port} is closed (No such device); start again to use it"]
    listener.close()


ARGUMENTS = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32, allow_nan=False),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
)


@given(st.lists(ARGUMENTS, max_size=4), st.text("abc_/", max_size=9))
def test_messages_read_as_the_library_writes_them(arguments: list[int | float | bool | str], name: str):
    builder = OscMessageBuilder(f"/{name}")
    for argument in arguments:
        builder.add_arg(argument)
    message = builder.build().dgram
    assert address_of(message) == f"/{name}"
    given_one, first = first_argument(message)
    assert given_one == bool(arguments)
    if arguments:
        assert first == arguments[0]
        assert type(first) is type(arguments[0])
