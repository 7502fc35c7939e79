"""Melodies on the grid: events and notes, the highest line, swing, and notes in seconds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.melodies.feel import off_beat_of, straightened, swung
from tatumflow.engine.melodies.gridding import grid_notes, sounding_notes
from tatumflow.engine.melodies.melody import (
    HOLD,
    NOTE_OFF,
    NUM_EVENTS,
    GridNote,
    Melody,
    begun_within,
    event_of,
    melody_of,
    transposed,
)


@st.composite
def lines(draw: st.DrawFn) -> list[GridNote]:
    """Notes one after the other within two bars, without gaps of a single step."""
    notes, step = [], draw(st.integers(0, 4))
    while step < 32:
        steps = min(draw(st.integers(1, 6)), 32 - step)
        notes.append(GridNote(step, steps, draw(st.integers(21, 108))))
        step += steps + draw(st.sampled_from([0, 0, 2, 5]))
    return notes


@given(lines())
def test_a_line_comes_back_as_it_was(notes: list[GridNote]):
    assert melody_of(notes, 2).notes() == tuple(notes)


def test_a_rest_is_one_event_and_then_held():
    melody = melody_of([GridNote(0, 2, 60), GridNote(8, 4, 62)], 1)
    assert melody.events[:4] == (event_of(60), HOLD, NOTE_OFF, HOLD)
    assert melody.events[12:] == (NOTE_OFF, HOLD, HOLD, HOLD)


def test_a_gap_of_one_step_is_articulation():
    assert melody_of([GridNote(0, 1, 60), GridNote(2, 2, 62)], 1).notes()[0] == GridNote(0, 2, 60)


def test_of_chords_the_top_counts():
    chords = [
        GridNote(0, 8, 48),
        GridNote(0, 8, 64),
        GridNote(2, 4, 52),
        GridNote(8, 4, 50),
        GridNote(8, 4, 65),
    ]
    assert melody_of(chords, 1).notes() == (GridNote(0, 8, 64), GridNote(8, 4, 65))


def test_a_slurred_lower_note_is_not_hidden():
    assert [note.pitch for note in melody_of([GridNote(0, 5, 70), GridNote(4, 4, 60)], 1).notes()] == [70, 60]


def test_only_whole_bars_of_known_events_are_a_melody():
    with pytest.raises(ValueError, match="no whole bars"):
        Melody((HOLD,) * 15)
    with pytest.raises(ValueError, match="outside"):
        Melody((NUM_EVENTS,) * 16)


def test_the_end_of_a_note_from_before_is_removed():
    events = np.array([HOLD, NOTE_OFF, event_of(60), NOTE_OFF])
    assert begun_within(events).tolist() == [HOLD, HOLD, event_of(60), NOTE_OFF]


def test_transposition_moves_pitches_alone():
    events = np.array([HOLD, NOTE_OFF, event_of(60)])
    assert transposed(events, 3).tolist() == [HOLD, NOTE_OFF, event_of(63)]


@given(st.floats(0.5, 0.75), st.lists(st.floats(-8, 100), min_size=1))
def test_swing_is_undone_by_straightening(off_beat: float, beats: list[float]):
    np.testing.assert_allclose(straightened(swung(beats, off_beat), off_beat), beats, atol=1e-9)


def test_the_swing_of_eighths_is_found():
    beats = np.arange(16).repeat(2) + np.tile([0.02, 0.62], 16)
    assert off_beat_of(beats) == pytest.approx(0.62)
    assert off_beat_of(np.arange(16)) == 0.5
    assert off_beat_of(beats[:4]) == 0.5


def test_swung_eighths_land_on_even_steps():
    onset = np.array([0.0, 0.63, 1.0, 1.63])
    notes = grid_notes(onset, np.array([0.6, 0.35, 0.6, 0.35]), np.array([60, 62, 64, 65]), 0.63)
    assert [(note.step, note.steps) for note in notes] == [(0, 2), (2, 2), (4, 2), (6, 2)]


def test_notes_sound_in_tempo_and_swung():
    melody = melody_of([GridNote(0, 2, 60), GridNote(2, 2, 62), GridNote(4, 4, 64)], 1)
    notes = sounding_notes([melody, melody], 120, 0.6, 90, start=1.0)
    assert [round(note.onset, 6) for note in notes] == [1.0, 1.3, 1.5, 3.0, 3.3, 3.5]
    assert {note.velocity for note in notes} == {90}
    assert notes[0].offset == pytest.approx(notes[1].onset)
