"""Bytes to events for any bytes, and which port a name means."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.errors import PortError
from tatumflow.engine.midi.events import (
    ClockContinue,
    ClockStart,
    ClockStop,
    ClockTick,
    ControlChange,
    NoteOff,
    NoteOn,
    SongPosition,
)
from tatumflow.live.midi.midi_bytes import (
    MessageParser,
    clock_event,
    human_event,
    packed,
    packed_clock,
    silence,
)
from tatumflow.live.midi.midi_ports import first_keyboard, match_port, stable_name, working_api

DATA = st.integers(0, 127)
CHANNEL = st.integers(0, 15)
EVENTS = st.one_of(
    st.builds(NoteOn, st.just(1.0), DATA, st.integers(1, 127), CHANNEL),
    st.builds(NoteOff, st.just(1.0), DATA, CHANNEL),
    st.builds(ControlChange, st.just(1.0), DATA, DATA, CHANNEL),
)


def events(chunks):
    parser = MessageParser()
    messages = (message for chunk in chunks for message in parser.feed(chunk))
    return [human_event(message, 1.0) for message in messages if message[0] < 0xF0]


CLOCK_EVENTS = st.one_of(
    *(
        st.builds(kind, st.just(1.0), st.just("in"))
        for kind in (ClockTick, ClockStart, ClockContinue, ClockStop)
    ),
    st.builds(SongPosition, st.just(1.0), st.integers(0, 16383), st.just("in")),
)


@given(st.lists(st.binary(max_size=12), max_size=20))
def test_any_bytes_are_survived_and_what_comes_out_is_in_range(chunks):
    for event in events(chunks):
        match event:
            case NoteOn(_, pitch, velocity, channel):
                assert 0 <= pitch <= 127
                assert 1 <= velocity <= 127
                assert 0 <= channel <= 15
            case NoteOff(_, pitch, channel):
                assert 0 <= pitch <= 127
                assert 0 <= channel <= 15


@given(st.lists(EVENTS, max_size=20), st.lists(st.integers(1, 7), min_size=1), st.data())
def test_events_survive_any_split_and_real_time_bytes_between_them(sent, cuts, data):
    stream = bytearray()
    for event in sent:
        for byte in packed(event, event.channel):
            stream.append(byte)
            if data.draw(st.booleans()):
                stream.append(data.draw(st.sampled_from([0xF8, 0xFA, 0xFE])))
    chunks, position, index = [], 0, 0
    while position < len(stream):
        chunks.append(bytes(stream[position : position + cuts[index % len(cuts)]]))
        position += len(chunks[-1])
        index += 1
    assert events(chunks) == sent


@given(st.lists(CLOCK_EVENTS, max_size=20))
def test_what_the_clock_says_survives_the_wire(sent):
    stream = bytes(byte for event in sent for byte in packed_clock(event))
    assert [clock_event(message, 1.0, "in") for message in MessageParser().feed(stream)] == sent


def test_clock_does_not_end_running_status_and_song_position_does():
    parser = MessageParser()
    assert list(parser.feed([0x90, 60, 0xF8, 1, 61, 1])) == [(0xF8,), (0x90, 60, 1), (0x90, 61, 1)]
    assert list(parser.feed([0xF2, 8, 0xFA, 1, 62, 1])) == [(0xFA,), (0xF2, 8, 1)]


def test_running_status_repeats_the_status_byte():
    assert events([[0x91, 60, 100, 64, 90, 67, 0]]) == [
        NoteOn(1.0, 60, 100, 1),
        NoteOn(1.0, 64, 90, 1),
        NoteOff(1.0, 67, 1),
    ]


def test_sysex_is_passed_over_and_ends_running_status():
    assert events([[0x90, 60, 1], [0xF0, 0x7E, 60, 60, 0xF7], [61, 1], [0x80, 60, 0]]) == [
        NoteOn(1.0, 60, 1),
        NoteOff(1.0, 60),
    ]


def test_pitch_bend_and_program_change_reach_thru_but_not_the_engine():
    parser = MessageParser()
    messages = [*parser.feed([0xE0, 1, 2]), *parser.feed([0xC3, 5, 6])]
    assert messages == [(0xE0, 1, 2), (0xC3, 5), (0xC3, 6)]
    assert [human_event(message, 0.0) for message in messages] == [None, None, None]


def test_silence_lifts_the_pedal_and_ends_all_notes_on_every_channel():
    assert set(silence()) == {(0xB0 | c, n, 0) for c in range(16) for n in (64, 123)}


NAMES = ("Keystation:Keystation MIDI 1 20:0", "Piano:Port A 24:0", "Piano:Port B 24:1")


@pytest.mark.parametrize(
    ("requested", "index"),
    [(NAMES[0], 0), ("Keystation:Keystation MIDI 1", 0), ("keyst", 0), ("port b", 2), ("2", 2)],
)
def test_a_port_is_found_by_name_part_and_number(requested, index):
    assert match_port(requested, NAMES, "input") == NAMES[index]


def test_a_replugged_alsa_port_keeps_its_stable_name():
    assert stable_name("Piano:Port A 24:0") == stable_name("Piano:Port A 28:0") == "Piano:Port A"


def test_without_a_choice_the_first_device_is_taken_and_loopbacks_are_not():
    assert first_keyboard(("Midi Through:Midi Through Port-0 14:0", *NAMES), "alsa") == NAMES[0]
    assert first_keyboard(("synth:out", "system:midi_capture_1"), "jack") == "system:midi_capture_1"
    assert first_keyboard(("IAC Driver Bus 1",), "coremidi") == ""


def test_an_unknown_port_lists_what_there_is():
    with pytest.raises(PortError, match=r"'organ' does not exist; there is 'Keystation.*'Piano:Port B 24:1'"):
        match_port("organ", NAMES, "input")
    with pytest.raises(PortError, match="there are no MIDI outputs"):
        match_port("organ", (), "output")


def test_an_ambiguous_part_lists_the_ports_it_fits():
    with pytest.raises(PortError, match="fits 'Piano:Port A 24:0', 'Piano:Port B 24:1'"):
        match_port("piano", NAMES, "output")


def test_an_unknown_midi_system_lists_the_known_ones():
    with pytest.raises(PortError, match="'oss' is unknown; choose one of auto, alsa, jack"):
        working_api("oss")


@given(st.lists(EVENTS, max_size=30), st.integers(-24, 24))
def test_notes_are_moved_as_they_come_in(sent, semitones):
    parser = MessageParser(semitones)
    stream = [byte for event in sent for byte in packed(event, event.channel)]
    received = [human_event(message, 1.0) for message in parser.feed(stream)]
    expected = []
    for event in sent:
        if isinstance(event, ControlChange):
            expected.append(event)
        elif 0 <= event.pitch + semitones <= 127:
            expected.append(replace(event, pitch=event.pitch + semitones))
    assert received == expected
