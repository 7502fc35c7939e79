"""Whatever arrives at the input's callback: nothing is raised, and no note is left sounding."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tatumflow.engine.controls import Controls
from tatumflow.engine.model.bundle import Bundle, load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.soak.storm import storm
from tatumflow.live.soak.tally import Tally
from tatumflow.live.soak.virtual_jam import VirtualJam

pytestmark = pytest.mark.slow

NOTES_PER_SECOND = 1000
MINUTE = 60
BATCH = 20

DATA = st.integers(0, 127)
STATUS = st.integers(0x80, 0xEF)
MESSAGES = st.one_of(
    st.tuples(st.integers(0x90, 0x92), st.integers(58, 64), DATA),
    st.tuples(st.integers(0x80, 0x82), st.integers(58, 64), DATA),
    st.tuples(st.integers(0xB0, 0xB2), st.sampled_from([64, 120, 123, 1]), st.sampled_from([0, 63, 64, 127])),
    st.tuples(STATUS, DATA, DATA),
)
SYSEX = st.binary(max_size=8).map(lambda body: (0xF0, *(byte & 0x7F for byte in body)))
CLOCK = st.sampled_from([(0xF8,), (0xFA,), (0xFB,), (0xFC,), (0xF2, 1, 2), (0xFE,), (0xFF,), (0xF6,)])
PACKETS = st.one_of(
    MESSAGES,
    MESSAGES,
    MESSAGES.map(lambda message: message[1:]),
    MESSAGES.map(lambda message: message[:2]),
    st.tuples(MESSAGES, MESSAGES).map(lambda pair: (*pair[0], *pair[1])),
    SYSEX,
    SYSEX.map(lambda sysex: (*sysex, 0xF7)),
    CLOCK,
    st.binary(max_size=6).map(tuple),
)
STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.0, 0.001, 0.05, 3.0]), PACKETS), max_size=150)


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return load_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def decoder(bundle: Bundle) -> OnnxDecoder:
    return OnnxDecoder(bundle)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.sampled_from(["internal", "midi"]))
def test_any_packets_at_any_times_leave_nothing_sounding(bundle, decoder, steps, clock):
    tally = Tally()
    jam = VirtualJam(bundle, decoder, Controls(style="", clock=clock), tally)
    for wait, packet in steps:
        jam.receive(packet)
        if wait:
            jam.run_to(jam.clock.now() + wait)
    jam.end()
    assert tally.hanging == ()


@pytest.mark.parametrize("clock", ["internal", "midi"])
def test_a_storm_is_survived_and_answered(bundle, decoder, clock):
    report = storm(bundle, decoder, 20_000, controls=Controls(style="", clock=clock))
    assert report.hanging == ()
    assert report.ons > 5_000
    assert report.turns > 0


def test_note_offs_without_their_on_and_running_status_change_nothing_that_sounds(bundle, decoder):
    tally = Tally()
    jam = VirtualJam(bundle, decoder, Controls(style=""), tally)
    for packet in (
        [0x80, 60, 0],
        [0x90, 61, 0],
        [0x90, 60, 80, 64, 80, 60, 0],
        [0xF0, 1, 2],
        [67, 80],
        [0xF7],
    ):
        jam.receive(packet)
        jam.run_to(jam.clock.now() + 0.01)
    assert tally.hanging == ((0, 64),)
    assert (tally.ons, tally.offs) == (2, 1)


def test_a_thousand_notes_a_second_for_a_minute_and_then_an_answer(bundle, decoder):
    tally = Tally()
    jam = VirtualJam(bundle, decoder, Controls(style=""), tally)
    for count in range(NOTES_PER_SECOND * MINUTE):
        pitch = 30 + 7 * count % 60
        jam.receive([0x90, pitch, 80])
        jam.receive([0x80, pitch, 0])
        if count % BATCH == BATCH - 1:
            jam.run_to(jam.clock.now() + BATCH / NOTES_PER_SECOND)
    assert tally.ons == tally.offs == NOTES_PER_SECOND * MINUTE
    assert len(jam.companion.snapshot().notes) < 1000
    jam.run_to(jam.clock.now() + 3.0)
    assert jam.companion.turn == "playing" or jam.companion.turns
    assert tally.ons > NOTES_PER_SECOND * MINUTE
    jam.end()
    assert tally.hanging == ()
