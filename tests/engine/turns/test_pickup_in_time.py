"""The pick-up of a chart in time: the chord of the count-in, and the band that plays it."""

import pytest
from rig import Rig

from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.harmony.chords import Chord, chord_id
from tatumflow.engine.messages import BeginBars, GoToBar
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.tempo.chart_clock import ChartClock

CHART = "{pickup: N.C. N.C. N.C. G7}\nCmaj7 | Fmaj7 | Dm7 | Am7"
BEAT = 0.5
BAR = 4 * BEAT
BASS, COMPING = BAND_CHANNELS["bass"], BAND_CHANNELS["comping"]


def tune(**controls) -> Rig:
    """Return a session that counts in from the beginning on."""
    rig = Rig(**{"chords": CHART, "count_in": 1, "tempo": 120.0, "metronome": 1.0, **controls})
    rig.companion.command(BeginBars())
    return rig


def chords(rig: Rig, beat: float) -> tuple[str, str]:
    """Return the chord and the next one at a beat of the count-in and the bars after it."""
    rig.run_to((beat + 0.5) * BEAT)
    position = rig.companion.snapshot().position
    assert position is not None
    return position.chord, position.next_chord


def test_the_position_has_its_chord_in_the_count_in_and_never_again() -> None:
    rig = tune()
    assert [chords(rig, beat) for beat in (0, 2, 3, 4)] == [
        ("Am7", "G7"),
        ("Am7", "G7"),
        ("G7", "Cmaj7"),
        ("Cmaj7", "Fmaj7"),
    ]
    assert chords(rig, 19) == ("Am7", "Cmaj7")


def test_bars_that_begin_again_have_it_again() -> None:
    rig = tune()
    rig.run_to(5 * BAR)
    rig.companion.command(BeginBars())
    assert chords(rig, 23) == ("G7", "Cmaj7")


def test_the_form_that_goes_back_to_its_first_bar_has_none() -> None:
    rig = tune()
    rig.run_to(2.5 * BAR)
    rig.companion.command(GoToBar(1))
    assert chords(rig, 11) == ("Fmaj7", "Cmaj7")
    assert chords(rig, 12)[0] == "Cmaj7"


@pytest.mark.parametrize(("loop_from", "chord"), [(1, "G7"), (2, "Dm7")])
def test_a_loop_has_it_where_it_begins_with_the_first_bar(loop_from: int, chord: str) -> None:
    rig = tune(loop_from=loop_from, loop_bars=2)
    assert chords(rig, 3)[0] == chord


def test_the_band_plays_it_in_the_count_in_alone() -> None:
    rig = tune(band=1)
    rig.run_to(2 * BAR)
    before = [event for event in rig.port.ons if event.time < BAR - 0.05]
    assert {event.channel for event in before} >= {BASS, COMPING}
    assert all(event.time > 3 * BEAT - 0.05 for event in before if event.channel in (BASS, COMPING))


def test_a_model_hears_it_before_the_first_beat() -> None:
    clock = ChartClock(parse_chart(CHART), 120.0, 10.0)
    g7, am7, c = (chord_id(chord) for chord in (Chord(7, "7"), Chord(9, "m7"), Chord(0, "maj7")))
    assert [clock.chord_id_at(10.0 + BEAT * beat) for beat in (-2, -1, 0, 15)] == [am7, g7, c, am7]
    assert [str(chord) for chord in clock.upcoming(10.0 - 2 * BEAT, 3 * BEAT)] == ["Am7", "G7", "Cmaj7"]
