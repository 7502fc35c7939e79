"""The choice among takes: drawn by the softmax of weighted features."""

import numpy as np
import pytest
from pydantic import ValidationError

from tatumflow.engine.controls import chart_named
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.takes.take_chooser import LARGEST, TakeChooser
from tatumflow.engine.tempo.chart_clock import ChartClock

BEFORE = [HeardNote(0.25 * i, 60 + i, 71, 0.2, Role.HUMAN) for i in range(8)]


def take(pitch: int, notes: int = 8) -> list[Note]:
    return [Note(2.0 + 0.25 * i, 0.2, pitch + i % 3, 71) for i in range(notes)]


def weights(weight: float) -> TakeWeights:
    return TakeWeights(features=("register",), mean=(0.0,), deviation=(1.0,), weight=(weight,))


def shares(weight: float) -> list[float]:
    chooser, takes = TakeChooser(weights(weight)), [take(48), take(60), take(72)]
    chosen = [chooser.choose(BEFORE, takes, uniform) for uniform in np.arange(0.0005, 1, 0.001)]
    return (np.bincount(chosen, minlength=3) / len(chosen)).tolist()


def test_without_weight_takes_are_equally_likely():
    assert shares(0.0) == pytest.approx([1 / 3] * 3, abs=0.002)


def test_takes_are_drawn_by_the_softmax_of_their_scores():
    low, middle, high = shares(0.7)
    assert high / middle == pytest.approx(np.exp(0.7), rel=0.02)
    assert middle / low == pytest.approx(np.exp(0.7), rel=0.02)


def test_a_feature_far_out_counts_as_the_largest():
    chooser = TakeChooser(weights(1.0))
    row = np.zeros((2, 200))
    row[:, chooser._columns[0]] = 2 * LARGEST, 9 * LARGEST
    assert chooser.scores(row).tolist() == [LARGEST, LARGEST]


def test_over_a_chart_the_key_of_the_notes_before_does_not_count():
    key = TakeWeights(features=("fit_to_context",), mean=(-2.5,), deviation=(0.5,), weight=(50.0,))
    chart = ChartClock(chart_named("F#m7 | B7"), 120.0, 0.0)
    takes = [[Note(2.0 + 0.25 * i, 0.2, pitch, 71) for i in range(8)] for pitch in (70, 64)]
    assert TakeChooser(key).choose(BEFORE, takes, 0.01) == 1
    assert TakeChooser(key).choose(BEFORE, takes, 0.01, chart) == 0
    assert TakeChooser(key).choose(BEFORE, takes, 0.99, chart) == 1


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1.0 - 1e-12])
def test_takes_too_short_to_tell_are_not_preferred(uniform: float):
    assert TakeChooser(weights(9.0)).choose(BEFORE, [take(48), take(72, notes=2)], uniform) == 0
    assert TakeChooser(weights(9.0)).choose([], [take(48), take(72)], uniform) == 0


def test_a_feature_of_a_later_version_is_left_out():
    later = TakeWeights(
        features=("groove", "register"), mean=(0.0, 0.0), deviation=(1.0, 1.0), weight=(50.0, 0.7)
    )
    takes = [take(48), take(60), take(72)]
    for uniform in (0.1, 0.5, 0.9):
        known = TakeChooser(weights(0.7)).choose(BEFORE, takes, uniform)
        assert TakeChooser(later).choose(BEFORE, takes, uniform) == known


@pytest.mark.parametrize(
    "changes",
    [{"mean": ()}, {"deviation": (0.0,)}, {"weight": (float("nan"),)}, {"deviation": (-1.0,)}, {"bias": 1.0}],
)
def test_weights_that_are_damaged_are_refused(changes: dict[str, object]):
    with pytest.raises(ValidationError):
        TakeWeights.model_validate({**weights(1.0).model_dump(), **changes})
