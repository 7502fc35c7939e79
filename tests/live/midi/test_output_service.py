"""MIDI outputs in a process of their own: what goes through, and what a dead engine leaves."""

import os
import threading

import pytest
import rtmidi
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.live.midi.midi_bytes import silence
from tatumflow.live.midi.output_link import OutputLink
from tatumflow.live.midi.output_pipe import Call, FrameReader, OutputChannel, packed_call, packed_frame
from tatumflow.live.midi.output_service import OutputService
from tatumflow.live.midi.outputs import MidiSink

PATIENCE = 20.0
ALL_SILENT = list(silence())


class FakePort:
    """An output of RtMidi's that keeps what it is sent."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.name = ""
        self.sent: list[tuple[int, ...]] = []
        self.deleted = False

    def send_message(self, message):
        self.sent.append(tuple(message))
        if message[0] == 0xFF:
            raise rtmidi.InvalidUseError("out of order")

    def get_ports(self):
        return ["hall", "stage"]

    def open_port(self, port, name):
        if port > 1:
            raise rtmidi.InvalidPortError("no such port")
        self.name = self.get_ports()[port]

    def open_virtual_port(self, name):
        self.name = name

    def close_port(self):
        self.name = ""

    def delete(self):
        self.deleted = True


class Stage:
    """A service on a thread, and one engine after the other at the other end of its pipes."""

    def __init__(self) -> None:
        self.ports: list[FakePort] = []
        self.service = OutputService(self.make)
        self.thread: threading.Thread | None = None
        self.link: OutputLink | None = None

    def make(self, api, client):
        self.ports.append(FakePort(client))
        return self.ports[-1]

    def engine(self) -> OutputLink:
        frames, ours = os.pipe()
        answers, theirs = os.pipe()
        self.thread = threading.Thread(target=self.service.serve, args=(frames, theirs))
        self.thread.start()
        self.link = OutputLink(channel(ours, answers), lambda: None)
        return self.link

    def dies(self) -> None:
        assert self.link is not None
        assert self.thread is not None
        self.link.close()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def channel(frames: int, answers: int) -> OutputChannel:
    from multiprocessing.connection import Connection

    return OutputChannel(Connection(frames, readable=False), Connection(answers, writable=False))


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    if stage.thread is not None and stage.thread.is_alive():
        stage.dies()


def opened(link, name="Flow out"):
    port = link.new_output("jack", name)
    port.open_virtual_port(name)
    return port


def after_calls(link):
    """Wait until what was sent before has been played: calls and messages keep their order."""
    link.new_output("jack", "probe").get_ports()


def test_messages_of_every_length_arrive_in_order(stage):
    link = stage.engine()
    port = opened(link)
    sent = [(0xF8,), (0x90, 60, 90), (0xC1, 5), (0xF2, 1, 2), (0xFF,), (0x80, 60, 0)]
    for message in sent:
        port.send_message(message)
    after_calls(link)
    assert stage.ports[0].sent == sent
    assert stage.ports[0].name == "Flow out"


def test_a_dead_engine_leaves_nothing_sounding(stage):
    port = opened(stage.engine())
    for message in ((0x90, 60, 90), (0x90, 64, 90), (0x91, 67, 90), (0x80, 64, 0), (0xB1, 64, 127)):
        port.send_message(message)
    before = 5
    stage.dies()
    assert stage.ports[0].sent[before:] == [(0x80, 60, 0), (0x81, 67, 0), (0xB1, 64, 0), *ALL_SILENT]
    assert not stage.ports[0].deleted


def test_the_next_engine_goes_on_with_the_port_that_others_are_connected_to(stage):
    opened(stage.engine()).send_message((0x90, 60, 90))
    stage.dies()
    link = stage.engine()
    opened(link).send_message((0x90, 62, 90))
    after_calls(link)
    first, _ = stage.ports
    assert first.sent[-1] == (0x90, 62, 90)
    stage.dies()
    assert (0x80, 62, 0) in first.sent[-len(ALL_SILENT) - 1 :]


def test_a_connection_to_a_device_is_silenced_closed_and_made_anew(stage):
    link = stage.engine()
    port = link.new_output("jack", "player")
    assert port.get_ports() == ["hall", "stage"]
    port.open_port(1, "player")
    port.send_message((0x90, 60, 90))
    stage.dies()
    (first,) = stage.ports
    assert first.sent[1:] == [(0x80, 60, 0), *ALL_SILENT]
    assert first.deleted


def test_an_engine_that_ends_in_order_takes_its_ports_with_it(stage):
    link = stage.engine()
    port = opened(link)
    port.send_message((0x90, 60, 90))
    port.close_port()
    port.delete()
    stage.dies()
    assert stage.ports[0].deleted
    assert stage.ports[0].sent == [(0x90, 60, 90)]


def test_what_rtmidi_raises_comes_back_and_ends_nothing(stage):
    link = stage.engine()
    port = link.new_output("jack", "player")
    with pytest.raises(OSError, match="no such port"):
        port.open_port(7, "player")
    assert port.get_ports() == ["hall", "stage"]


def test_a_lost_process_is_noticed_and_swallows_what_is_sent():
    frames, ours = os.pipe()
    answers, theirs = os.pipe()
    lost = threading.Event()
    link = OutputLink(channel(ours, answers), lost.set)
    port = link.new_output("jack", "player")
    os.close(frames)
    os.close(theirs)
    assert lost.wait(PATIENCE)
    assert not link.alive
    with pytest.raises(OSError, match="Broken pipe"):
        port.send_message((0x90, 60, 90))
    MidiSink("hall", port).send((0x90, 60, 90))
    with pytest.raises(OSError, match="has ended"):
        port.get_ports()
    port.delete()
    link.close()


def test_a_process_that_stands_still_holds_nothing_up_and_ends_everything_when_it_goes_on():
    frames, ours = os.pipe()
    answers, theirs = os.pipe()
    os.set_blocking(ours, False)
    link = OutputLink(channel(ours, answers), lambda: None)
    port = link.new_output("jack", "player")
    for _ in range(100_000):
        port.send_message((0x90, 60, 90))
    reader, waiting = FrameReader(), b""
    while len(chunk := os.read(frames, 4096)) == 4096:
        waiting += chunk
        if len(waiting) >= 16_384:
            break
    port.send_message((0x90, 61, 90))
    link.close()
    while chunk := os.read(frames, 65_536):
        waiting += chunk
    items = list(reader.feed(waiting))
    assert len(items) < 100_000
    assert items[-2:] == [None, (0, bytes((0x90, 61, 90)))]
    os.close(theirs)
    os.close(frames)


ITEMS = st.one_of(
    st.tuples(
        st.integers(0, 63),
        st.one_of(
            st.tuples(st.integers(0x80, 0xBF), st.integers(0, 127), st.integers(0, 127)),
            st.tuples(st.integers(0xC0, 0xDF), st.integers(0, 127)),
            st.tuples(st.sampled_from([0xF8, 0xFA, 0xFB, 0xFC])),
        ),
    ),
    st.builds(Call, st.integers(0, 63), st.text(max_size=9), st.tuples(st.text(max_size=20), st.integers())),
)


@settings(max_examples=50)
@given(st.lists(ITEMS, max_size=20), st.lists(st.integers(1, 9), min_size=1))
def test_frames_survive_any_split(items, cuts):
    stream = b"".join(packed_call(item) if isinstance(item, Call) else packed_frame(*item) for item in items)
    reader, read, at = FrameReader(), [], 0
    index = 0
    while at < len(stream):
        size = cuts[index % len(cuts)]
        read += reader.feed(stream[at : at + size])
        at, index = at + size, index + 1
    assert read == [item if isinstance(item, Call) else (item[0], bytes(item[1])) for item in items]


def test_a_name_too_long_for_one_write_is_refused():
    with pytest.raises(ValueError, match="too long"):
        packed_call(Call(0, "open_virtual_port", ("x" * 600,)))
