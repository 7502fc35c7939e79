"""Playing for long: what counts as hung or dropped, what the musician does, and that none of it happens."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.messages import BeginBars, Panic, SetControl, TakeTurn, YieldTurn
from tatumflow.engine.midi.events import NoteEvent, NoteOff
from tatumflow.engine.midi.scheduler import LATE_LIMIT
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.bench.receive import delays_of
from tatumflow.live.midi.outputs import Outputs
from tatumflow.live.soak.command import soak
from tatumflow.live.soak.compressed import compressed_soak
from tatumflow.live.soak.kind import Soak
from tatumflow.live.soak.musician import MUSICIAN_CHANNEL, gestures, until
from tatumflow.live.soak.played_sound import read_sound
from tatumflow.live.soak.report import soak_figures
from tatumflow.live.soak.tally import Tally

STYLES = ("art-tatum", "charlie-parker")


def test_every_note_needs_an_off_of_its_own():
    tally = Tally()
    for message in ((0x90, 60, 80), (0x91, 60, 80), (0x80, 60, 0), (0x80, 61, 0), (0xB1, 123, 0)):
        tally.send(message)
    assert tally.hanging == ((1, 60),)
    assert (tally.ons, tally.offs, tally.dropped) == (2, 1, {})
    tally.send((0x91, 60, 80))
    tally.send((0x91, 60, 0))
    assert tally.hanging == ()
    assert tally.dropped == {1: 1}


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(1.0, 300.0))
def test_the_musician_lifts_every_key_and_strikes_none_twice(seed, end):
    tally, times = Tally(), [0.0]
    for gesture in until(gestures(seed, STYLES), end):
        times.append(gesture.time)
        if isinstance(gesture.what, tuple):
            assert gesture.what[0] & 0x0F == MUSICIAN_CHANNEL
            tally.send(gesture.what)
    assert times == sorted(times)
    assert times[-1] <= end
    assert tally.hanging == ()
    assert tally.dropped == {}
    assert tally.offs == tally.ons


def test_the_musician_sends_commands_and_repeats_with_a_seed():
    script = list(itertools.islice(gestures(1, STYLES), 20_000))
    assert script == list(itertools.islice(gestures(1, STYLES), 20_000))
    commands = [gesture.what for gesture in script if not isinstance(gesture.what, tuple)]
    assert Panic() not in commands, "it would end what hangs"
    assert {TakeTurn(), YieldTurn(), BeginBars()} <= set(commands)
    assert {command.name for command in commands if isinstance(command, SetControl)} >= {"mode", "trade_bars"}


def test_a_soak_fails_by_what_hangs_what_is_dropped_and_what_grows():
    tally = Tally()
    for message in ((0x90, 60, 80), (0x90, 60, 80)):
        tally.send(message)
    costs = [2.0] * 10 + [2.5] * 10
    figures = {figure.name: figure for figure in soak_figures(tally, costs, [100, 104])}
    assert not figures["hung"].met
    assert not figures["dropped"].met
    assert figures["note_cost_growth"].max == 1.25
    assert not figures["note_cost_growth"].met
    assert figures["memory_growth"].met
    assert not {f.name: f for f in soak_figures(tally, costs, [100, 106])}["memory_growth"].met


@pytest.mark.slow
def test_minutes_of_playing_leave_nothing_sounding(tiny_bundle: Path):
    bundle = load_bundle(tiny_bundle)
    figures = {f.name: f for f in compressed_soak(bundle, OnnxDecoder(bundle), minutes=3.0)}
    assert figures["played"].max > 300
    assert figures["hung"].max == 0
    assert figures["dropped"].max == 0


@pytest.mark.slow
def test_an_off_that_is_lost_is_found(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch):
    bundle, sound = load_bundle(tiny_bundle), Outputs.play
    offs = itertools.count(1)

    def careless(self: Outputs, event: NoteEvent, channel: int) -> None:
        if not isinstance(event, NoteOff) or next(offs) % 40:
            sound(self, event, channel)

    monkeypatch.setattr(Outputs, "play", careless)
    figures = {f.name: f for f in compressed_soak(bundle, OnnxDecoder(bundle), minutes=3.0)}
    assert figures["hung"].max + figures["dropped"].max > 0


def test_a_storm_is_reported(tiny_bundle: Path, tmp_path: Path):
    figures = {f.name: f for f in soak(Soak.STORM, str(tiny_bundle), 1.0, 500, tmp_path / "storm.json")}
    assert figures["delivered"].max == 500
    assert figures["hung"].met
    assert "tatumflow soak storm --model tiny --packets 500" in (tmp_path / "storm.json").read_text()


def test_notes_that_arrive_are_distinguished_from_those_that_do_not():
    due = np.arange(20_000, dtype=np.float64) * 0.01
    codes = np.arange(len(due)) % (88 * 127)
    heard = [
        (float(time) + 0.001, int(code % 88) + 21, int(code // 88) + 1)
        for index, (time, code) in enumerate(zip(due, codes, strict=True))
        if index not in (3, 15_000)
    ]
    heard.insert(7, heard[6])
    delays = delays_of(due, heard)
    assert delays[[3, 15_000]].tolist() == [LATE_LIMIT] * 2
    assert np.delete(delays, [3, 15_000]) == pytest.approx(0.001)


def test_ears_without_a_recording_to_hear_are_refused(tiny_bundle: Path):
    with pytest.raises(SettingError, match="name one with --sound FILE"):
        soak(Soak.EARS, str(tiny_bundle))


@pytest.mark.parametrize("content", [None, b"no sound", b""])
def test_a_recording_that_cannot_be_heard_is_named(tmp_path: Path, content: bytes | None):
    path = tmp_path / "band.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceError, match=r"band\.wav: .*give another file"):
        read_sound(path, 48_000)
