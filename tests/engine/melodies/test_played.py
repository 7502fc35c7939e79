"""Performances as melodies: bars from a tempo or from the tracked beat."""

import numpy as np
import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.gridding import sounding_notes
from tatumflow.engine.melodies.melody import GridNote, Melody, melody_of
from tatumflow.engine.melodies.played import played_melodies, steady_beats, tracked_beats
from tatumflow.engine.midi.notes import Note


def eighths(bars: int, seed: int = 0) -> Melody:
    rng = np.random.default_rng(seed)
    return melody_of([GridNote(2 * i, 2, int(rng.integers(55, 80))) for i in range(8 * bars)], bars)


def test_what_was_played_in_tempo_comes_back():
    melodies = [eighths(2, 0), eighths(2, 1)]
    notes = sounding_notes(melodies, 132, 0.62, 77)
    played = played_melodies(notes, steady_beats(notes, 132), 2)
    assert played.melodies == tuple(melodies)
    assert (played.tempo, played.velocity) == (132, 77)
    assert played.off_beat == pytest.approx(0.62, abs=1e-6)


def test_empty_bars_before_are_left_out_and_the_last_ones_filled():
    notes = [Note(8.0, 0.5, 60, 80), Note(8.5, 0.5, 62, 80)]
    (melody,) = played_melodies(notes, steady_beats(notes, 120), 2).melodies
    assert melody.notes() == (GridNote(0, 4, 60), GridNote(4, 4, 62))


def test_a_note_just_before_the_bar_line_is_on_it():
    notes = [Note(1.98, 0.5, 60, 80), Note(2.5, 0.5, 62, 80)]
    (melody,) = played_melodies(notes, steady_beats(notes, 120), 1).melodies
    assert melody.notes()[0].step == 0


def test_the_tempo_of_steady_eighths_is_tracked():
    phrase = melody_of([GridNote(step, 2, 60 + step % 7) for step in (0, 4, 6, 8, 12, 14)], 1)
    notes = sounding_notes([phrase] * 12, 150, 0.6, 80)
    beats = tracked_beats(notes)
    assert beats.tempo == pytest.approx(150, rel=0.03)
    within = beats.onset % 1
    nearest = np.minimum(np.abs(within[:, None] - np.array([0.0, 0.6, 1.0])).min(axis=1), 1)
    assert np.median(nearest) < 0.1


def test_too_few_notes_have_no_beat():
    with pytest.raises(SettingError, match="--tempo"):
        tracked_beats([Note(0.0, 0.1, 60, 80)])
