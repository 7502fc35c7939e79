"""Beats and seconds, the grid, taps, clicks and turns of bars: pure functions of time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.chart_clock import ChartClock, ChartInTime
from tatumflow.engine.tempo.grid import GRID, felt_beat, swung_grid
from tatumflow.engine.tempo.metronome import BEAT_PITCH, DOWNBEAT_PITCH, Metronome
from tatumflow.engine.tempo.tap import LONGEST_GAP, Taps
from tatumflow.engine.tempo.trading import Trading

TEMPOS = st.floats(20, 400)
TIMES = st.floats(-1000, 1000)
BEATS = st.floats(-100, 100)
SWINGS = st.floats(0, 1.5)
SHARES = st.floats(0, 1)


@given(TEMPOS, TIMES, TIMES)
def test_beats_and_seconds_are_each_others_inverse(tempo: float, origin: float, time: float):
    clock = BeatClock(tempo, origin)
    assert clock.time(clock.beat(time)) == pytest.approx(time, abs=1e-9)
    assert clock.beat(origin) == 0
    assert clock.beat(origin + 60 / tempo) == pytest.approx(1)


@given(TEMPOS, TEMPOS, TIMES)
def test_another_tempo_goes_on_from_the_same_beat(before: float, after: float, now: float):
    clock = BeatClock(before, 3.0)
    changed = clock.at_tempo(after, now)
    assert changed.tempo == after
    assert changed.beat(now) == pytest.approx(clock.beat(now), abs=1e-6)


@given(TEMPOS, TIMES)
def test_a_beat_can_be_put_on_a_moment(tempo: float, time: float):
    clock = BeatClock(tempo, 3.0)
    moved = clock.with_beat_at(time)
    assert moved.beat(time) == pytest.approx(round(moved.beat(time)), abs=1e-6)
    assert abs(moved.beat(0.0) - clock.beat(0.0)) <= 0.5 + 1e-6


def test_a_chart_by_its_own_clock_and_over_the_bars_is_the_same():
    chart = parse_chart("Dm7 | G7 | Cmaj7 | %")
    alone, among = ChartClock(chart, 150.0, 2.0), ChartInTime(chart, BeatClock(150.0, 2.0))
    for time in (1.0, 2.0, 3.7, 30.0):
        assert alone.chord_id_at(time) == among.chord_id_at(time)
        assert alone.upcoming(time, 9.0) == among.upcoming(time, 9.0)


@given(BEATS)
def test_no_swing_and_no_pull_leave_every_onset(beat: float):
    assert felt_beat(beat, 0.0, 0.0) == beat


@given(BEATS, SWINGS)
def test_full_pull_puts_onsets_on_the_swung_grid(beat: float, swing: float):
    felt = felt_beat(beat, swing, 1.0)
    assert min(abs(felt % 1 - place) for place in swung_grid(swing)) < 1e-9
    if swing == 0:
        assert abs(felt - beat) <= 1 / 8 + 1e-9


@given(BEATS, BEATS, SWINGS, SHARES)
def test_no_onset_overtakes_another(first: float, second: float, swing: float, pull: float):
    low, high = sorted((first, second))
    assert felt_beat(low, swing, pull) <= felt_beat(high, swing, pull) + 1e-9


@given(st.integers(-50, 50), SWINGS, SHARES)
def test_beats_stay_where_they_are(beat: int, swing: float, pull: float):
    assert felt_beat(float(beat), swing, pull) == beat


@given(BEATS, SHARES)
def test_pull_goes_a_share_of_the_way(beat: float, pull: float):
    on_grid = felt_beat(beat, 0.0, 1.0)
    assert felt_beat(beat, 0.0, pull) == pytest.approx(beat + pull * (on_grid - beat), abs=1e-9)


@given(SHARES)
def test_swing_delays_the_off_beat_in_proportion(swing: float):
    assert felt_beat(3.5, swing, 0.0) == pytest.approx(3.5 + swing / 6)


@given(SHARES)
def test_what_is_swung_already_is_not_swung_again(swing: float):
    assert felt_beat(3 + 2 / 3, swing, 0.0) == pytest.approx(3 + 2 / 3)
    assert felt_beat(3 + 1 / 3, swing, 0.0) == pytest.approx(3 + 1 / 3)


def test_straight_and_swung_lines_pulled_with_full_swing_meet_on_the_triplet():
    assert felt_beat(0.5, 1.0, 1.0) == felt_beat(0.64, 1.0, 1.0) == pytest.approx(2 / 3)
    assert len(swung_grid(1.5)) == len(GRID)
    assert all(before <= after for before, after in pairwise(swung_grid(1.5)))


def tapped(*times: float) -> float | None:
    taps = Taps()
    tempo = None
    for time in times:
        tempo = taps.tap(time)
    return tempo


def test_three_even_taps_make_a_tempo_and_two_do_not():
    assert tapped(1.0, 1.5) is None
    assert tapped(1.0, 1.5, 2.0) == pytest.approx(120.0)


@given(TEMPOS, st.lists(st.floats(-0.02, 0.02), min_size=6, max_size=12))
def test_uneven_taps_make_about_the_tempo(tempo: float, unevenness: list[float]):
    gap = 60 / tempo
    found = tapped(*(5 + index * gap + share * gap for index, share in enumerate(unevenness)))
    assert found == pytest.approx(tempo, rel=0.02)


def test_a_beat_left_out_or_touched_twice_does_not_spoil_the_tempo():
    assert tapped(0.0, 0.5, 1.0, 2.0, 2.5, 3.0) == pytest.approx(120.0)
    assert tapped(0.0, 0.5, 1.0, 1.05, 1.5, 2.0, 2.5) == pytest.approx(120.0, rel=0.01)


def test_a_long_pause_begins_a_new_series():
    first = (0.0, 0.5, 1.0)
    second = tuple(1.1 + LONGEST_GAP + 0.4 * index for index in range(3))
    assert tapped(*first, second[0]) is None
    assert tapped(*first, *second) == pytest.approx(150.0)


@given(st.lists(st.floats(0, 10), max_size=20))
def test_any_taps_whatever_make_a_tempo_above_zero_or_none(times: list[float]):
    tempo = tapped(*times)
    assert tempo is None or tempo > 0


def test_clicks_fall_on_the_beats_once_each_and_the_first_of_a_bar_is_another():
    clock, metronome = BeatClock(120.0, 1.0), Metronome()
    clicks = [
        click for now in range(40) for click in metronome.clicks(clock, now / 10, now / 10 + 0.35, 4, 0.5)
    ]
    assert [click.onset for click in clicks] == pytest.approx([1.0 + beat / 2 for beat in range(-2, 7)])
    downbeats = [click.onset for click in clicks if click.pitch == DOWNBEAT_PITCH]
    assert downbeats == pytest.approx([1.0, 3.0])
    assert {click.pitch for click in clicks} == {DOWNBEAT_PITCH, BEAT_PITCH}


def test_a_silent_metronome_still_counts_in():
    clock, metronome = BeatClock(120.0, 2.0), Metronome()
    clicks = metronome.clicks(clock, 0.0, 9.0, 4, 0.0)
    assert [click.onset for click in clicks] == pytest.approx([0.0, 0.5, 1.0, 1.5])


@pytest.mark.parametrize("bars", [1, 2, 4, 8])
@pytest.mark.parametrize("beats_per_bar", [3, 4])
def test_turns_are_equal_and_the_humans_come_first(bars: int, beats_per_bar: int):
    trading, turn = Trading(bars, beats_per_bar), bars * beats_per_bar
    entries = [trading.next_entry(2 * turn * round_) for round_ in range(4)]
    assert entries == [turn, 3 * turn, 5 * turn, 7 * turn]
    assert [trading.companion_end(entry) for entry in entries] == [entry + turn for entry in entries]
    assert [trading.next_entry(entry) for entry in entries] == entries
    assert trading.next_entry(-3.5 * turn) == turn, "the count-in is in no turn"


@given(st.integers(1, 8), st.integers(1, 7), st.floats(-100, 1000))
def test_entries_and_ends_are_the_nearest_lines_where_the_turn_goes_over(
    bars: int, beats_per_bar: int, beat: float
):
    trading, turn = Trading(bars, beats_per_bar), bars * beats_per_bar
    entry, end = trading.next_entry(beat), trading.companion_end(beat)
    assert entry % (2 * turn) == turn
    assert beat <= entry < max(beat, 0) + 2 * turn
    assert end % (2 * turn) == 0
    assert beat < end <= max(beat, 0) + 2 * turn
