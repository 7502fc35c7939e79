"""The pick-up: written, transposed, practised, and heard before the first chorus alone."""

from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_chart import charts

from tatumflow.engine.harmony.chart import Chart, parse_chart
from tatumflow.engine.harmony.pickup import change_from_start, chord_from_start, leading_bar
from tatumflow.engine.harmony.practice import in_keys, looped

LED = parse_chart("{pickup: N.C. N.C. N.C. G7}\nCmaj7 | Fmaj7 | Dm7 | Am7 . . .")


def heard(chart: Chart, *beats: float) -> list[str]:
    return [str(chord_from_start(chart, beat)) for beat in beats]


def test_a_pick_up_is_written_as_a_bar() -> None:
    assert LED.pickup is not None
    assert [change.symbol for change in LED.pickup] == ["N.C.", "N.C.", "N.C.", "G7"]
    assert LED.text.splitlines()[0] == "{pickup: N.C. N.C. N.C. G7}"
    assert parse_chart(LED.text) == LED != parse_chart("Cmaj7 | Fmaj7 | Dm7 | Am7")
    assert parse_chart("{pickup:} Cmaj7").pickup is None
    waltz = parse_chart("{pickup: N.C. F#m7 B7b9} {time: 3/4} Emaj7")
    assert waltz.pickup is not None
    assert [(change.beat, change.symbol) for change in waltz.pickup] == [
        (0, "N.C."),
        (1, "Gbm7"),
        (2, "B7b9"),
    ]


def test_a_pick_up_holds_before_the_first_chorus_alone() -> None:
    assert heard(LED, -5, -4, -1.01, -1, -0.1, 0) == ["Dm7", "Am7", "Am7", "G7", "G7", "Cmaj7"]
    assert heard(LED, 15, 15.9, -17, -17.1) == ["Am7", "Am7", "Am7", "Am7"], "no other chorus has it"
    ahead = [change_from_start(LED, beat) for beat in (-6, -2, -1, 14)]
    assert [(change.beat, change.symbol) for change in ahead if change] == [
        *((-4, "Am7"), (-1, "G7"), (0, "Cmaj7"), (16, "Cmaj7"))
    ]


def test_a_rest_within_a_pick_up_is_one() -> None:
    chart = parse_chart("{pickup: N.C. G7 N.C. .} Cmaj7 | Am7")
    assert heard(chart, -4, -3, -2, -1) == ["Am7", "G7", "None", "None"]
    assert [change.symbol for change in leading_bar(chart)] == ["Am7", "G7", "N.C."]
    silent = parse_chart("{pickup: N.C.} Cmaj7 | Am7")
    assert leading_bar(silent) == silent.bars[-1]


@settings(deadline=None)
@given(charts(), st.integers(-400, 200))
def test_the_next_change_from_the_start_is_where_the_chord_changes(chart: Chart, sixteenths: int) -> None:
    beat = sixteenths / 16
    change, now = change_from_start(chart, beat), chord_from_start(chart, beat)
    if beat >= 0 or chart.pickup is None:
        assert change == chart.next_change(beat)
        assert now == chart.chord_at(beat)
    places = [float(c.beat) - chart.beats_per_bar for c in leading_bar(chart)]
    places += [
        float(c.beat) + (number * chart.beats_per_bar)
        for number in range(floor(beat / chart.beats_per_bar) - 1, len(chart.bars) + floor(max(beat, 0)) + 2)
        for c in chart.bars[number % len(chart.bars)]
    ]
    later = (place for place in sorted(places) if place > beat)
    expected = next((place for place in later if chord_from_start(chart, place + 1e-6) != now), None)
    assert (None if change is None else float(change.beat)) == pytest.approx(expected)
    if change is not None:
        assert chord_from_start(chart, float(change.beat) + 1e-6) == change.chord != now


def test_loops_and_keys_keep_the_pick_up_with_the_first_bar() -> None:
    assert looped(LED, range(2)).pickup == LED.pickup
    assert looped(LED, range(1, 3)).pickup is None
    keys = in_keys(LED, (0, 5))
    assert heard(keys, -1, 0, 15, 16) == ["G7", "Cmaj7", "Am7", "Fmaj7"]
    assert heard(LED.transposed(2), -1, 0) == ["A7", "Dmaj7"]
