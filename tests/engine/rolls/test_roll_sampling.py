"""Sampling through the levels: what is known stays, guidance, windows, filled bars."""

import numpy as np
import pytest
from mock_rolls import mock_model

from tatumflow.engine.errors import ModelFault, SettingError
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.rolls.bar_fill import Span, fill_span, outside
from tatumflow.engine.rolls.beat_grid import feel, gathered, performance_grid
from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.grid import StepGrid
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import Order
from tatumflow.engine.rolls.roll import ONSET, Roll
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import fill_rolls, sample_rolls

GRID = StepGrid.of_tempo(120.0)
NONE = RollConditions()


def line(bars: int, late: float = 0.0) -> list[Note]:
    """Return eighths at 120 beats per minute; off-beats are late by seconds."""
    return [Note(0.25 * i + late * (i % 2), 0.2, 60 + i % 7, 70) for i in range(8 * bars)]


@pytest.mark.parametrize("kind", ["mar", "ar"])
@pytest.mark.parametrize("order", ["row", "column"])
def test_every_unknown_cell_is_sampled_where_notes_sound(kind: LevelKind, order: Order):
    model, levels = mock_model(kinds=(kind, kind, kind), order=order)
    (roll,) = sample_rolls(model, 64, [NONE], RollSampling(), seed=0)
    expected = np.zeros((128, 64), np.bool_)
    expected[16 * levels.row : 16 * (levels.row + 1)] = True
    np.testing.assert_array_equal(roll.state == ONSET, expected)


def test_levels_below_run_only_where_notes_sound():
    model, levels = mock_model()
    sample_rolls(model, 64, [NONE], RollSampling(), seed=0)
    entered = sum(count for level, count in levels.batches if level == 1)
    # Four of the 32 patches sound, and each is visited at most once a step.
    assert entered <= 4 * RollSampling().steps[1]


def test_known_cells_stay_and_are_seen():
    model, levels = mock_model()
    roll = Roll.silent(64)
    roll.state[30, :16], roll.velocity[30, :16] = ONSET, 99
    hidden, known = hide(roll, 16, 48)
    (filled,) = fill_rolls(model, [(hidden, known)], [NONE], RollSampling(), seed=0)
    np.testing.assert_array_equal(filled.state[:, :16], roll.state[:, :16])
    assert not filled.state[:, 48:].any()
    assert filled.state[:, 16:48].any()
    first = levels.seen[0][0]
    assert first[:, 0].all()
    assert first[:, 3].all()
    assert not first[:, 1:3].any()
    # Pitch 30 is an F sharp, and nothing else sounds.
    np.testing.assert_array_equal(levels.keys[0][0], [11 if pitch == 6 else -1 for pitch in range(12)])


def test_guidance_doubles_the_batch_and_moves_what_the_condition_changes():
    loud = RollConditions(style=1)
    means: list[float] = []
    for guidance in (0.0, 1.0, 4.0):
        model, levels = mock_model()
        (roll,) = sample_rolls(model, 64, [loud], RollSampling(1.0, guidance), seed=0)
        assert levels.batches[0] == (0, 1 if guidance == 1 else 2)
        means.append(float(roll.velocity[roll.state == ONSET].mean()))
    assert means[0] < means[1] < means[2]


def test_temperature_0_takes_the_likeliest():
    model, _ = mock_model(odds=0.1)
    rolls = [sample_rolls(model, 64, [NONE], RollSampling(0.0), seed)[0] for seed in (0, 1)]
    np.testing.assert_array_equal(rolls[0].state, rolls[1].state)
    assert rolls[0].onsets == 16 * 64


def test_a_seed_gives_the_same_roll_and_another_seed_another():
    model, _ = mock_model(odds=0.1)
    one, same, other = (sample_rolls(model, 64, [NONE], RollSampling(), seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.state, same.state)
    assert (one.state != other.state).any()


@pytest.mark.parametrize("width", [4, 68, 200])
def test_any_multiple_of_four_is_sampled_in_windows_of_the_trained_width(width: int):
    model, levels = mock_model()
    done: list[int] = []
    (roll,) = sample_rolls(model, width, [NONE], RollSampling(), 0, done.append)
    assert roll.width == width
    assert (roll.state[64:80] == ONSET).all()
    assert all(seen.shape[2] <= 64 // 16 for seen in levels.seen)
    assert done == sorted(done)
    assert done[-1] == width


def test_a_model_without_finite_output_is_a_fault():
    model, _ = mock_model(odds=float("nan"))
    with pytest.raises(ModelFault):
        sample_rolls(model, 64, [NONE], RollSampling(), 0)


@pytest.mark.parametrize("fields", [(-0.1, 1.0), (1.0, 11.0), (1.0, 1.0, (0, 1, 1))])
def test_settings_out_of_range_are_refused(fields: tuple):
    with pytest.raises(SettingError):
        RollSampling(*fields)


def test_a_filled_span_leaves_the_notes_outside_untouched():
    model, levels = mock_model()
    notes = line(12)
    span = Span(GRID, *GRID.bar_steps(5, 6), beats=True)
    (filled,) = fill_span(model, notes, span, NONE, RollSampling(), 0)
    kept = outside(notes, span)
    assert set(kept) <= set(notes)
    assert len(kept) == 8 * 10
    assert filled
    assert all(8.0 <= note.onset < 12.0 and note.offset <= 12.0 + 1e-9 for note in filled)
    assert levels.seen[0][0, :, 0].all()


def test_filled_notes_are_as_late_as_the_others():
    model, _ = mock_model()
    notes = line(12, late=0.03)
    grid = StepGrid.of_tempo(120.0)
    (filled,) = fill_span(model, notes, Span(grid, 64, 80, True), NONE, RollSampling(), 0)
    late = np.array([note.onset for note in filled]) % 0.5
    assert set(np.round(late, 3)) == {0.0, 0.125, 0.28, 0.375}
    assert feel(notes, grid)[2] == pytest.approx(0.03 / 0.125)


def test_variations_differ():
    model, _ = mock_model(odds=0.1)
    first, second = fill_span(
        model, line(12), Span(GRID, 64, 80, True), NONE, RollSampling(), 0, variations=2
    )
    assert first != second


def test_the_grid_of_a_take_is_its_tempo_where_its_notes_lie_on_it():
    grid, beats = performance_grid(line(8), 120.0)
    assert beats
    assert grid.seconds(4) == pytest.approx(0.5)
    assert gathered(line(8), StepGrid.of_tempo(97.0)) < 0.3
    with pytest.raises(SettingError):
        performance_grid(line(8), None, "tempo")


def test_the_beat_is_tracked_where_the_file_states_another_tempo():
    notes = [Note(0.36 * i / 2, 0.15, 60 + i % 12, 90 if i % 2 else 60) for i in range(160)]
    grid, beats = performance_grid(notes, 120.0, "beats")
    assert beats
    # 0.36 s is a beat, or half of one, or two.
    ratio = np.log2(4 * float(np.median(np.diff(grid.times))) / 0.36)
    assert ratio == pytest.approx(round(ratio), abs=0.1)


def test_free_time_has_equal_steps_from_the_first_note_on():
    rng = np.random.default_rng(0)
    notes = [Note(float(t), 0.1, 60, 70) for t in 3.0 + np.cumsum(rng.uniform(0.05, 0.9, 12))]
    grid, beats = performance_grid(notes, None, "time")
    assert not beats
    assert grid.steps(notes[0].onset) == pytest.approx(0.0)
    assert grid.seconds(8) - grid.seconds(0) == pytest.approx(1.0)


def test_a_requested_key_is_read_and_guidance_compares_it_with_none():
    model, levels = mock_model()
    sample_rolls(model, 64, [RollConditions(key="Eb"), NONE], RollSampling(guidance=2.0), seed=0)
    keys = levels.keys[0]
    assert np.argmax(keys[0]) == 3
    assert abs(keys[0].mean()) < 1e-6
    assert not keys[1:].any()


def test_what_a_window_has_filled_is_the_key_of_the_next():
    model, levels = mock_model()
    sample_rolls(model, 128, [NONE], RollSampling(), seed=0)
    assert not levels.keys[0].any()
    # Sixteen pitches from the row's lowest one on sound alike: four pitch classes twice.
    assert sorted(set(np.round(levels.keys[-1][0], 3))) == [-0.25, 0.5]


@pytest.mark.parametrize("key", ["H", "C lydian", "Cbb", "major"])
def test_a_key_that_is_none_is_refused(key: str):
    with pytest.raises(SettingError, match="key"):
        RollConditions(key=key)
