"""Measures of spans, likelihood as it is sampled, and the response to controls, on rolls that are known."""

import numpy as np
import pytest
from mock_rolls import mock_model

from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.roll import ONSET, Roll
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.training.rolls.evaluation.fills import HeldOut, fill_figures
from tatumflow.training.rolls.evaluation.likelihood import sampled_nll
from tatumflow.training.rolls.evaluation.measures import MEASURES
from tatumflow.training.rolls.evaluation.response import guidance_figures, key_figures, temperature_figures

C_MAJOR = (60, 62, 64, 65, 67, 69, 71)


def scale(shift: int = 0, gap: int = 2, width: int = 64, span: tuple[int, int] = (0, 0)) -> Roll:
    """Return a C major scale up and down, transposed by semitones and at another gap in a span."""
    roll = Roll.silent(width)
    for step in range(width):
        inside = span[0] <= step < span[1]
        if step % (gap if inside else 2) == 0:
            pitch = C_MAJOR[step // 2 % len(C_MAJOR)] + (shift if inside else 0)
            roll.state[pitch, step], roll.velocity[pitch, step] = ONSET, 80
    return roll


def measured(name: str, roll: Roll) -> float:
    return MEASURES[name](roll, 16, 48)


def test_another_key_agrees_less():
    same, fifth, tritone = (measured("key_agreement", scale(shift, span=(16, 48))) for shift in (0, 7, 6))
    assert same > 0.9
    assert same > fifth > tritone
    assert tritone < 0


def test_half_beats_gather_and_sixteenths_do_not():
    assert measured("beat_concentration", scale()) > 0.5
    assert measured("beat_concentration", scale(gap=1, span=(16, 48))) < 0.1


def test_density_and_joins_change_with_the_span():
    plain, dense, high = scale(), scale(gap=1, span=(16, 48)), scale(24, span=(16, 48))
    assert measured("density", dense) == pytest.approx(2 * measured("density", plain))
    assert measured("density_change", plain) == pytest.approx(0, abs=0.01)
    assert measured("density_change", dense) > 0.6
    assert measured("join_density", dense) == 8
    assert measured("join_interval", high) > measured("join_interval", plain) + 20


def test_the_likelihood_is_that_of_the_decisions():
    model, levels = mock_model(odds=2.0)
    width = 64
    roll = Roll.silent(width)
    hidden = np.zeros(roll.state.shape, np.bool_)
    nats = sampled_nll(model.levels, [(roll, hidden)], [RollConditions()], (4, 4, 4), 0)
    # All patches are silent: those of the row that should sound cost log(1 + e^2), the others log(1 + e^-2).
    columns, row_cost, cost = width // 16, np.log1p(np.exp(levels.odds)), np.log1p(np.exp(-levels.odds))
    assert nats["total"] == pytest.approx(columns * (row_cost + 7 * cost) / width, rel=1e-4)
    assert nats["state"] == nats["velocity"] == 0


@pytest.mark.parametrize("kind", ["mar", "ar"])
def test_the_likelihood_of_a_fill_counts_the_hidden_cells_alone(kind: str):
    model, _ = mock_model(odds=1.0, kinds=(kind,) * 3)
    roll = scale()
    known = hide(roll, 16, 48)[1]
    nats = sampled_nll(model.levels, [(roll, known)], [RollConditions()], (4, 4, 4), 0)
    # 16 onsets whose velocity, 80, is one of 30 that have odds 0 where one has 1 and one 0.
    assert nats["velocity"] == pytest.approx(16 * np.log(31 + np.e) / 32, rel=1e-3)
    assert nats["state"] > 0


def test_fills_are_measured_beside_real_and_pasted_spans():
    model, _ = mock_model()
    held = HeldOut([scale()] * 2, [RollConditions()] * 2, ["one", "two"])
    assert held.span == (16, 48)
    figures = fill_figures(model, held, RollSampling(), seed=0)
    assert set(figures) == set(MEASURES)
    assert figures["density"]["real"]["value"] == pytest.approx(0.5)
    assert figures["density"]["nearer"]["value"] == 0
    assert figures["density"]["filled"]["value"] == figures["density"]["pasted"]["value"] == 16


def test_controls_are_measured_in_samples():
    model, _ = mock_model(odds=1.0)
    warm = temperature_figures(model, 1, (2, 2, 2), 0)
    assert set(warm["temperature 1"]) == {"density", "pitches_per_onset", "diatonicity"}
    ratios = guidance_figures(model, 1, (2, 2, 2), 0)
    # The mock reads no density.
    assert ratios["guidance 2"]["ratio"] == pytest.approx(1.0)
    # It plays a whole row of pitches in any key: of sixteen, 9.25 on average are in one of the four scales.
    keys = key_figures(model, 1, (2, 2, 2), 0)
    assert keys["key, guidance 1"]["in_scale"] == pytest.approx(7 / 12, abs=0.1)
