"""Where things lie on the screen: pure functions under the widgets."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import RollNote
from tatumflow.engine.midi.notes import Role
from tatumflow.live.steering.control_choices import CHOICES
from tatumflow.live.steering.control_range import control_range
from tatumflow.live.tui.commands import pitch_classes_of_major
from tatumflow.live.tui.controls.control_table import GROUPS, LABELS
from tatumflow.live.tui.labels import milliseconds, pitch_name, style_name
from tatumflow.live.tui.lettering import letter_rows, letter_width
from tatumflow.live.tui.roll.key_piano import KeyPiano
from tatumflow.live.tui.roll.roll_layout import Ink, PitchWindow, TimeGrid, fit, rows_of
from tatumflow.live.tui.turn_banner import _WORDS

NUMBERS = [name for name in LABELS if name not in CHOICES]


def test_every_control_has_a_label_and_every_row_is_a_control() -> None:
    names = {control.name for control in fields(Controls)}
    assert set(LABELS) == names
    assert {name for group in GROUPS.values() for name in group} <= names


@given(
    name=st.sampled_from(NUMBERS),
    fraction=st.floats(-1, 2),
    steps=st.integers(-2000, 2000),
)
def test_values_a_slider_can_reach_are_accepted_by_the_engine(name: str, fraction: float, steps: int) -> None:
    control = control_range(name)
    value = control.moved(control.at(fraction), steps)
    assert getattr(Controls().changed(name, value), name) == pytest.approx(value)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_step_moves_and_comes_back(name: str) -> None:
    control = control_range(name)
    middle = control.at(0.5)
    there = control.moved(middle, 1)
    assert there > middle
    assert control.moved(there, -1) == pytest.approx(middle)


def test_a_note_keeps_its_width_while_it_scrolls() -> None:
    note = RollNote(Role.COMPANION, 10.03, 0.77, 60, 80)
    window = PitchWindow(55, 1)
    widths = {
        sum(map(bool, rows_of([note], window, TimeGrid(11.0 + step / 30, 66), 12)[6])) for step in range(150)
    }
    assert len(widths) == 1


def test_human_companion_and_planned_notes_lie_side_by_side_around_now() -> None:
    notes = [
        RollNote(Role.HUMAN, 96.0, 1.0, 60, 80),
        RollNote(Role.COMPANION, 99.0, None, 62, 80),
        RollNote(Role.COMPANION, 101.0, 0.5, 64, 80, planned=True),
    ]
    grid = TimeGrid(100.0, 66)
    rows = rows_of(notes, PitchWindow(60, 1), grid, 5)
    assert rows[4][grid.column(96.0)] == Ink.YOU_ONSET
    assert rows[2].rfind(Ink.COMPANION) == grid.now_column
    assert rows[0].find(Ink.PLANNED_ONSET) == grid.column(101.0) > grid.now_column
    assert rows[1] == rows[3] == bytes(66)


@given(
    notes=st.lists(
        st.builds(
            RollNote,
            role=st.sampled_from(Role),
            onset=st.floats(-50, 50),
            duration=st.none() | st.floats(0.001, 30),
            pitch=st.integers(0, 127),
            velocity=st.just(80),
            planned=st.booleans(),
        ),
        max_size=30,
    ),
    rows=st.integers(1, 60),
    columns=st.integers(1, 200),
    now=st.floats(-10, 10),
)
def test_any_notes_fit_any_roll(notes: list[RollNote], rows: int, columns: int, now: float) -> None:
    window = fit((note.pitch for note in notes), rows)
    drawn = rows_of(notes, window, TimeGrid(now, columns), rows)
    assert [len(row) for row in drawn] == [columns] * rows


@given(pitches=st.lists(st.integers(21, 108), min_size=1), rows=st.integers(8, 60))
def test_the_pitch_window_shows_every_pitch_and_stays_put_while_it_does(
    pitches: list[int], rows: int
) -> None:
    window = fit(pitches, rows)
    assert all(0 <= window.row(pitch, rows) < rows for pitch in pitches)
    assert fit(pitches, rows, window) == window


@pytest.mark.parametrize("words", _WORDS.values())
def test_large_letters_line_up(words: str) -> None:
    assert {len(row) for row in letter_rows(words)} == {letter_width(words)}
    assert letter_width(words) <= 56


def test_labels() -> None:
    assert [pitch_name(pitch) for pitch in (21, 60, 61, 108)] == ["A0", "C4", "C♯4", "C8"]
    assert style_name("art-tatum") == "Art Tatum"
    assert [milliseconds(value) for value in (None, 0.21, 2.44, 31.6)] == ["–", "0.21 ms", "2.4 ms", "32 ms"]
    assert pitch_classes_of_major(0) == 0b101010110101


def test_piano_letters_are_the_keys_that_play_them() -> None:
    piano = KeyPiano(octave=4)
    assert all(piano.pitch(key) == pitch for pitch, key in piano.letters().items())
    assert piano.pitch("a") is None
