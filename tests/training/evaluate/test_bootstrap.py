"""Bootstrap intervals hold what they promise."""

import math

import numpy as np
import pytest

from tatumflow.training.evaluate.bootstrap import (
    bootstrap,
    mean,
    median,
    paired_difference,
    ratio,
    ratio_of_means,
)


def test_the_value_is_that_of_the_units_themselves() -> None:
    values = np.array([1.0, 2.0, 6.0])
    assert mean(values).value == pytest.approx(3)
    assert ratio_of_means(values, [1.0, 1.0, 4.0]).value == pytest.approx(9 / 6)
    assert paired_difference(values, [1.0, 1.0, 4.0]).value == pytest.approx(1)


def test_a_median_is_that_of_the_known_values_and_resamples_units() -> None:
    assert median([5.0, math.nan, 1.0, 2.0]).value == 2
    assert median([4.0, 1.0, 2.0, 9.0]).value == 3
    assert math.isnan(median([math.nan]).value)
    values = np.random.default_rng(0).normal(size=21)
    alone = median(values, seed=1)
    assert alone.value == pytest.approx(float(np.median(values)))
    assert values.min() < alone.low < alone.value < alone.high < values.max()
    repeated, groups = np.repeat(values, 7), np.repeat(np.arange(21), 7)
    assert median(repeated, groups=groups, seed=1) == alone
    narrow = median(repeated, seed=1)
    assert narrow.high - narrow.low < alone.high - alone.low


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        interval = mean(rng.exponential(2.0, size=60), seed=trial)
        held += interval.low <= 2.0 <= interval.high
    assert 0.87 <= held / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=30)
    assert mean(values, seed=3) == mean(values, seed=3)
    assert mean(values, seed=3) != mean(values, seed=4)


def test_alike_rows_of_one_piece_are_one_unit() -> None:
    values = np.random.default_rng(0).normal(size=20)
    repeated = np.repeat(values, 10)
    alone, together = mean(repeated), mean(repeated, groups=np.repeat(np.arange(20), 10))
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert together.value == pytest.approx(alone.value)
    assert together == mean(values) or together.low == pytest.approx(mean(values).low)


def test_unknown_values_are_left_out_of_pairs_and_means() -> None:
    assert mean([1.0, math.nan, 3.0]).value == pytest.approx(2)
    assert ratio_of_means([1.0, math.nan, 3.0], [1.0, 7.0, math.nan]).value == pytest.approx(1)
    assert paired_difference([5.0, 1.0], [math.nan, 0.0]).value == pytest.approx(1)


def test_nothing_gives_no_figure() -> None:
    assert math.isnan(mean([]).value)
    assert math.isnan(mean([math.nan]).low)


def test_pairs_tell_what_their_spread_hides() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(0, 10, size=50)
    interval = paired_difference(base + 0.5 + rng.normal(0, 0.1, size=50), base)
    assert interval.low > 0
    assert mean(base).low <= 0 <= mean(base).high


def test_a_statistic_is_taken_of_sums() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert bootstrap(rows, ratio).value == pytest.approx(4 / 6)
    assert bootstrap(rows, lambda sums: sums[:, 0] - sums[:, 1]).value == pytest.approx(-2)
