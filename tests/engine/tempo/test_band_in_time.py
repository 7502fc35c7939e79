"""The band on the session's clock: every note once and ended, whatever the clock and the controls do."""

from collections import Counter

import pytest
from rig import Rig

from tatumflow.engine.band.drum_keys import SIDE_STICK
from tatumflow.engine.messages import BeginBars, EndTune, Panic, SetControl
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.tempo.metronome import BEAT_PITCH, CLICK_CHANNEL

BASS, COMPING, DRUMS = (BAND_CHANNELS[part] for part in ("bass", "comping", "drums"))
BAND = (BASS, COMPING, DRUMS)
BEAT = 0.5


def band_rig(**controls) -> Rig:
    return Rig(**{"band": 1, "chords": "blues in F", "tempo": 120.0, **controls})


def ons(rig: Rig, *channels: int) -> list[NoteOn]:
    return [event for event in rig.port.ons if event.channel in (channels or BAND)]


def hung(rig: Rig) -> list[tuple[int, int]]:
    return [key for key in rig.port.sounding if key[0] in BAND]


def test_the_drummer_counts_in_instead_of_the_click_and_then_all_three_play_in_time():
    rig = band_rig(metronome=0.5)
    rig.run_to(10.0)
    count = [event for event in rig.port.ons if event.time < 4 * BEAT - 0.05]
    assert [(event.channel, event.pitch) for event in count] == [(DRUMS, SIDE_STICK)] * 4
    assert [event.time for event in count] == pytest.approx([0, 0.5, 1.0, 1.5], abs=0.02)
    clicks = [event.time for event in ons(rig, CLICK_CHANNEL) if event.pitch == BEAT_PITCH]
    assert min(clicks) == pytest.approx(5 * BEAT)
    bass = [event.time for event in ons(rig, BASS)]
    downbeats = [2.0, 4.0, 6.0, 8.0]
    assert all(any(abs(time - beat) <= 0.02 for time in bass) for beat in downbeats)
    assert {event.channel for event in ons(rig)} == set(BAND)


def test_it_is_off_by_default_and_rests_without_a_chart():
    for controls in ({"band": 0}, {"chords": ""}):
        rig = band_rig(**controls)
        rig.run_to(8.0)
        assert ons(rig) == []


def test_turning_it_on_counts_in_and_off_ends_every_note():
    rig = band_rig(band=0)
    rig.run_to(3.0)
    rig.companion.command(SetControl("band", 1))
    rig.run_to(9.0)
    assert ons(rig)[0].time == pytest.approx(3.0, abs=0.03)
    rig.companion.command(SetControl("band", 0))
    rig.run_to(9.01)
    assert hung(rig) == []
    before = len(ons(rig))
    rig.run_to(15.0)
    assert len(ons(rig)) == before


def test_it_plays_on_through_both_players_turns():
    rig = band_rig()
    rig.phrase(start=3.0, notes=12)
    rig.run_until("playing")
    start = rig.clock.now()
    rig.run_to(start + 4.0)
    for since, to in ((3.0, 5.5), (start, start + 4.0)):
        assert len([event for event in ons(rig, BASS) if since <= event.time <= to]) >= 4


@pytest.mark.parametrize(
    "command", [BeginBars(), SetControl("chords", "rhythm changes"), SetControl("clock", "midi")]
)
def test_a_jump_leaves_no_note_hanging(command):
    rig = band_rig(band_style="ballad")
    for _ in range(4):
        rig.run_to(rig.clock.now() + 3.3)
        rig.companion.command(command)
        rig.run_to(rig.clock.now() + 0.001)
        if not isinstance(command, SetControl) or command.name == "clock":
            assert not [key for key in hung(rig) if key != (DRUMS, SIDE_STICK)]
    rig.companion.command(SetControl("band", 0))
    rig.run_to(rig.clock.now() + 5)
    assert hung(rig) == []
    counts = Counter(type(event) for event in rig.port.events if getattr(event, "channel", None) in BAND)
    assert counts[NoteOn] <= counts[NoteOff]


def test_a_new_tempo_goes_on_in_the_same_bar():
    rig = band_rig()
    rig.run_to(6.25)
    rig.companion.command(SetControl("tempo", 150.0))
    rig.run_to(6.3)
    assert hung(rig), "what sounded goes on"
    rig.run_to(14.0)
    beats = [(event.time - 6.25) * 2.5 + 8.5 for event in ons(rig, BASS) if event.time > 6.5]
    downbeats = [beat for beat in beats if abs(beat - round(beat)) < 0.06]
    assert len(downbeats) > 0.7 * len(beats)


def test_volumes_scale_each_part_and_zero_is_silence():
    loud, soft = band_rig(), band_rig(bass_volume=0.5, comping_volume=0.0)
    for rig in (loud, soft):
        rig.run_to(12.0)
    assert ons(soft, COMPING) == []
    assert [e.pitch for e in ons(soft, BASS)] == [e.pitch for e in ons(loud, BASS)]
    assert max(e.velocity for e in ons(soft, BASS)) < min(e.velocity for e in ons(loud, BASS))
    assert [e.velocity for e in ons(soft, DRUMS)] == [e.velocity for e in ons(loud, DRUMS)]


def test_the_same_seed_plays_the_same_and_another_seed_another_band():
    def played(seed: int) -> list[NoteOn]:
        rig = band_rig(seed=seed)
        rig.run_to(10.0)
        return ons(rig)

    assert played(1) == played(1)
    assert played(1) != played(2)


def test_the_tune_ends_with_the_chorus_on_a_last_chord():
    rig = band_rig(tempo=240.0)
    rig.run_to(4.0)
    rig.companion.command(EndTune())
    rig.run_to(40.0)
    # One bar counts in; the twelve of the chorus follow, and the last chord.
    last = (4 + 48) * 0.25
    final = [event for event in ons(rig) if event.time > last - 0.03]
    assert {event.channel for event in final} == set(BAND)
    assert max(event.time for event in final) < last + 0.03
    assert hung(rig) == []


def test_a_panic_stops_the_band_too():
    rig = band_rig()
    rig.run_to(5.0)
    rig.companion.command(Panic())
    assert rig.port.sounding == set()
    before = len(ons(rig))
    rig.run_to(12.0)
    assert len(ons(rig)) == before
    assert rig.companion.controls.band == 0


def test_comping_thins_while_a_pianist_plays_in_its_register():
    alone, beside = band_rig(mode="continue"), band_rig(mode="continue")
    alone.run_to(30.0)
    for count in range(110):
        beside.play(2.0 + 0.25 * count, length=0.05, first_pitch=50 + count % 3)
        beside.play(2.06 + 0.25 * count, length=0.05, first_pitch=57 + count % 3)
    struck = [len({round(event.time, 2) for event in ons(rig, COMPING)}) for rig in (alone, beside)]
    assert struck[1] < 0.7 * struck[0]


def test_the_count_in_begins_when_the_session_does_not_while_its_model_loads():
    rig = band_rig()
    rig.clock.advance_to(3.0)
    rig.run_to(6.0)
    assert [event.time for event in ons(rig, DRUMS)][:4] == pytest.approx([3.0, 3.5, 4.0, 4.5], abs=0.03)
