"""Notes as rolls and back, spans of them hidden, patches of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.rolls.conditions import density_id
from tatumflow.engine.rolls.grid import StepGrid
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.notes import notes_of, roll_of
from tatumflow.engine.rolls.patches import join, neighbours, scan, split
from tatumflow.engine.rolls.roll import HELD, ONSET, SILENT, Roll, stray_held

GRID = StepGrid.of_tempo(120.0)
STEP = 0.125


def steps_roll(*notes: tuple[int, int, int], width: int = 64) -> Roll:
    """Return the roll of notes given as step, length in steps, pitch."""
    played = [Note(STEP * step, STEP * length, pitch, 80) for step, length, pitch in sorted(notes)]
    return roll_of(played, GRID, width)


@st.composite
def melodies(draw: st.DrawFn) -> list[Note]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 60), st.integers(1, 12), st.integers(21, 108), st.integers(1, 127)),
            max_size=20,
        )
    )
    notes: list[Note] = []
    free = dict.fromkeys(range(128), 0)
    for step, length, pitch, velocity in sorted(rows):
        if step >= free[pitch]:
            length = min(length, 64 - step)
            notes.append(Note(STEP * step, STEP * length, pitch, velocity))
            free[pitch] = step + length
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


@settings(max_examples=50, deadline=None)
@given(melodies())
def test_notes_on_the_grid_come_back(notes: list[Note]):
    back = notes_of(roll_of(notes, GRID, 64), GRID)
    assert [(n.pitch, n.velocity) for n in back] == [(n.pitch, n.velocity) for n in notes]
    np.testing.assert_allclose([n.onset for n in back], [n.onset for n in notes])
    np.testing.assert_allclose([n.duration for n in back], [n.duration for n in notes])


def test_repeated_notes_stay_apart():
    roll = steps_roll((0, 4, 60), (4, 4, 60), (8, 4, 60))
    assert roll.onsets == 3
    assert len(notes_of(roll, GRID)) == 3


def test_a_pitch_that_sounds_again_ends_the_note_before():
    roll = steps_roll((0, 16, 60), (4, 2, 60))
    assert [round(n.duration / STEP) for n in notes_of(roll, GRID)] == [4, 2]


def test_held_cells_without_an_onset_sound_nothing():
    roll = Roll.silent(16)
    roll.state[60, 4:8] = HELD
    assert notes_of(roll, GRID) == ()
    assert stray_held(roll).sum() == 4


def test_grids_of_beats_and_of_time_map_both_ways():
    grid = StepGrid.of_beats([1.0, 1.5, 2.5, 3.0], beats_per_bar=3)
    steps = np.array([-3.0, 0.0, 5.5, 12.0, 20.0])
    np.testing.assert_allclose(grid.steps(grid.seconds(steps)), steps)
    assert grid.seconds(4) == pytest.approx(1.5)
    assert grid.seconds(6) == pytest.approx(2.0)
    assert grid.bar_steps(2, 3) == (12, 36)
    assert StepGrid.of_time(0.1, start=2.0).steps(2.35) == pytest.approx(3.5)


def test_hiding_keeps_notes_that_begin_before_and_cuts_those_that_begin_inside():
    roll = steps_roll((2, 8, 60), (6, 8, 64), (12, 2, 67))
    hidden, known = hide(roll, 4, 10)
    assert [(round(n.onset / STEP), n.pitch) for n in notes_of(hidden, GRID)] == [(2, 60), (12, 67)]
    assert known[60, 4:10].all()
    assert not known[64, 4:10].any()
    assert known[:, :4].all()
    assert known[:, 10:].all()
    assert (hidden.state[64, 10:] == SILENT).all()


@pytest.mark.parametrize("side", [16, 4])
def test_patches_join_to_what_was_split(side: int):
    x = np.arange(2 * 32 * 48 * 3).reshape(2, 32, 48, 3)
    patches = split(x, side)
    assert patches.shape == (2, 32 * 48 // side**2, side, side, 3)
    np.testing.assert_array_equal(patches[1, 1], x[1, :side, side : 2 * side])
    np.testing.assert_array_equal(join(patches, 48 // side), x)


def test_scan_orders():
    assert scan(2, 3, "row").tolist() == [0, 1, 2, 3, 4, 5]
    assert scan(2, 3, "column").tolist() == [0, 3, 1, 4, 2, 5]


def test_neighbours_later_in_scan_order_are_missing():
    none = 6
    assert neighbours(2, 3, None)[1].tolist() == [1, 4, none, 0, 2]
    assert neighbours(2, 3, "row")[1].tolist() == [1, none, none, 0, none]
    assert neighbours(2, 3, "column")[4].tolist() == [4, none, 1, 3, none]


def test_density_grows_with_the_onsets():
    ids = [density_id(steps_roll(*[(step, 1, 60) for step in range(0, 64, gap)])) for gap in (16, 4, 2, 1)]
    assert ids == sorted(set(ids))
    assert density_id(Roll.silent(16), np.zeros((128, 16), np.bool_)) == 0


def test_a_crop_and_a_part_of_a_roll():
    roll = steps_roll((2, 4, 60))
    crop = roll.crop(-2, 6)
    assert crop.state[60].tolist() == [0, 0, 0, 0, ONSET, HELD, HELD, HELD]
    assert roll.with_part(crop.crop(2, 8), 20).state[60, 20:26].tolist() == [0, 0, ONSET, HELD, HELD, HELD]
    assert roll.transposed(2).state[62, 2] == ONSET
    assert not steps_roll((0, 1, 127)).transposed(1).onsets
