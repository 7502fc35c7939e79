"""Practice over a chart: a loop, other keys and tempos with each chorus, turns of whole choruses."""

import pytest
from rig import Rig

from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.messages import SetControl
from tatumflow.engine.tempo.tune import tune_of

CHART = "C | F | G7 | Am7"
BEAT = 0.25
CHORUS = 16 * BEAT


def practice(**controls) -> Rig:
    return Rig(**{"chords": CHART, "count_in": 0, "tempo": 240.0, "metronome": 1.0, **controls})


def chords(rig: Rig, times: list[float]) -> list[str]:
    """Return the chord of the screen at each time."""
    seen: list[str] = []
    for time in times:
        rig.run_to(time)
        position = rig.companion.snapshot().position
        assert position is not None
        seen.append(position.chord)
    return seen


def test_a_loop_plays_its_bars_over_and_over():
    rig = practice(loop_from=3, loop_bars=2)
    assert chords(rig, [0.1 + 4 * BEAT * bar for bar in range(4)]) == ["G7", "Am7", "G7", "Am7"]
    rig.companion.command(SetControl("loop_bars", 0))
    assert chords(rig, [0.1 + 4 * BEAT * bar for bar in range(4, 8)]) == ["Cmaj7", "Fmaj7", "G7", "Am7"]


@pytest.mark.parametrize(("first", "bars", "length"), [(4, 3, 1), (5, 2, 4), (1, 64, 4)])
def test_a_loop_ends_with_the_chart(first: int, bars: int, length: int):
    tune = tune_of(Controls(chords=CHART, loop_from=first, loop_bars=bars))
    assert tune is not None
    assert tune.chorus_bars == len(tune.chart.bars) == length


def test_each_chorus_is_in_its_key():
    rig = practice(key_step="fourth")
    assert chords(rig, [0.1 + CHORUS * chorus for chorus in range(3)]) == ["Cmaj7", "Fmaj7", "Bbmaj7"]


def test_each_chorus_is_faster():
    rig = practice(tempo_step=12.0)
    rig.run_to(CHORUS - 0.05)
    assert rig.companion.controls.tempo == 240.0
    rig.run_to(CHORUS + 0.1)
    assert rig.companion.controls.tempo == 252.0
    # The chart goes on from where it was.
    assert chords(rig, [CHORUS + 0.2]) == ["Cmaj7"]
    rig.run_to(CHORUS + 16 * 60 / 252 + 0.1)
    assert rig.companion.controls.tempo == 264.0


@pytest.mark.parametrize(("tempo", "step", "end"), [(395.0, 20.0, 400.0), (25.0, -20.0, 20.0)])
def test_the_tempo_stays_within_its_range(tempo: float, step: float, end: float):
    rig = practice(tempo=tempo, tempo_step=step)
    rig.run_to(17 * 60 / tempo)
    assert rig.companion.controls.tempo == end


def test_the_tempo_of_another_clock_stays():
    rig = practice(tempo_step=12.0, clock="listen")
    rig.run_to(2 * CHORUS)
    assert rig.companion.controls.tempo == 240.0


def test_choruses_are_traded():
    rig = practice(trade_choruses=1, key_step="fifth")
    rig.run_to(CHORUS - 0.01)
    assert rig.companion_notes == []
    rig.run_to(CHORUS + 0.05)
    assert rig.companion.turn == "playing"
    position = rig.companion.snapshot().position
    assert position is not None
    assert position.turn_bars == 4
    rig.run_to(2 * CHORUS + 0.05)
    assert rig.companion.turn == "listening"


@pytest.mark.parametrize(
    "controls", [*({"trade_bars": bars} for bars in (1, 2, 4, 8)), {"trade_choruses": 1}]
)
def test_turns_over_a_twelve_bar_form_begin_and_end_on_bar_lines(controls: dict):
    rig = practice(chords="blues in F", metronome=0.0, **controls)
    turn = controls.get("trade_bars", 12) * 4 * BEAT
    rig.run_to(48 * 4 * BEAT + 0.01)
    reports = rig.companion.turns
    assert len(reports) == int(48 * 4 * BEAT / (2 * turn))
    for count, report in enumerate(reports):
        start = turn * (2 * count + 1)
        assert (report.first_onset, report.end) == (pytest.approx(start), pytest.approx(start + turn))
    assert all(note.onset // turn % 2 == 1 for note in rig.companion_notes)


def test_turns_of_choruses_follow_the_loop():
    rig = practice(trade_choruses=1)
    rig.run_to(0.1)
    rig.companion.command(SetControl("loop_bars", 2))
    rig.run_to(CHORUS / 2 + 0.05)
    assert rig.companion.turn == "playing"


def test_turns_of_choruses_are_free_without_a_chart():
    rig = Rig(trade_choruses=2)
    assert rig.companion.snapshot().position is None
    rig.companion.command(SetControl("chords", CHART))
    assert rig.companion.snapshot().position is not None


def test_random_keys_belong_to_the_seed():
    first, again, other = (
        tune_of(Controls(chords=CHART, key_step="random", seed=seed)) for seed in (1, 1, 2)
    )
    assert first is not None
    assert first == again != other
    assert first.chart.bars[:4] == parse_chart(CHART).bars
    assert len(first.chart.bars) == 48
