"""Loops and keys of practice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.harmony.chart import Chart, Section, named_chart, parse_chart
from tatumflow.engine.harmony.key_steps import KEY_STEPS, KeyStep
from tatumflow.engine.harmony.practice import in_keys, keys_of, looped

AABA = Chart(
    tuple(parse_chart("C | D7 | E7 | F | G | A7 | Bb | B7").bars),
    sections=(Section("A", 0), Section("B", 4), Section("A", 6)),
)


def roots(chart: Chart) -> list[int | None]:
    return [change.chord and change.chord.root for bar in chart.bars for change in bar]


def test_a_loop_is_some_bars() -> None:
    assert looped(AABA, range(4, 8)).bars == AABA.bars[4:]


def test_a_loop_keeps_the_sections_that_it_touches() -> None:
    assert looped(AABA, range(3, 6)).sections == (Section("A", 0), Section("B", 1))
    assert looped(AABA, range(6, 8)).sections == (Section("A", 0),)


@pytest.mark.parametrize("step", KEY_STEPS)
def test_keys_come_round(step: KeyStep) -> None:
    chart = named_chart("blues in F")
    keys = in_keys(chart, keys_of(step, seed=3))
    choruses = [keys.bars[i : i + 12] for i in range(0, len(keys.bars), 12)]
    assert choruses[0] == chart.bars
    tonics = [chorus[0][0].chord.root for chorus in choruses if chorus[0][0].chord]
    assert len(tonics) == len(set(tonics)) == {"same": 1, "whole tone": 6}.get(step, 12)
    if step == "fourth":
        assert tonics[:3] == [5, 10, 3]


@given(seed=st.integers(0, 1000))
def test_random_keys_are_the_same_for_the_same_seed(seed: int) -> None:
    assert roots(in_keys(AABA, keys_of("random", seed))) == roots(in_keys(AABA, keys_of("random", seed)))
    assert len({section.bar for section in in_keys(AABA, keys_of("random", seed)).sections}) == 36
