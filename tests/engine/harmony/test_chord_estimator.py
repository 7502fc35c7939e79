import numpy as np
import pytest
from chord_tunes import Rows, ids, played

from tatumflow.engine.harmony.chords import NO_CHORD, Chord, transpose_ids
from tatumflow.engine.harmony.estimator import ChordEstimate, estimate_chords


def estimate(rows: Rows) -> ChordEstimate:
    return estimate_chords([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])


def test_plain_chords_over_their_roots_are_named() -> None:
    tune = ["Dm7", "G7", "Cmaj7", "A7", "Dm7", "G7", "Em7b5", "A7", "Dm7", "Db7", "Cmaj7", "Cmaj7"]
    found = estimate(played(tune)).at(2.0 * np.arange(len(tune)) + 1.0)
    assert found.tolist() == ids(tune)


@pytest.mark.parametrize("semitones", [-6, -5, -1, 4, 6])
def test_transposed_music_has_transposed_chords(semitones: int) -> None:
    rows = played(["Dm7", "G7", "Cmaj7", "Bm7b5", "E7", "Am6"])
    moved = estimate([(onset, duration, pitch + semitones) for onset, duration, pitch in rows])
    middle = 2.0 * np.arange(6) + 1.0
    assert moved.at(middle).tolist() == transpose_ids(estimate(rows).at(middle), semitones).tolist()


def test_music_that_begins_later_has_its_chords_later() -> None:
    rows = played(["Dm7", "G7", "Cmaj7"])
    later = estimate([(onset + 100.0, duration, pitch) for onset, duration, pitch in rows])
    times = np.arange(0.3, 6.0, 0.5)
    assert later.at(times + 100.0).tolist() == estimate(rows).at(times).tolist()


def test_the_order_of_notes_does_not_matter() -> None:
    rows = played(["Dm7", "G7", "Cmaj7"])
    assert estimate(rows[::-1]).ids.tolist() == estimate(rows).ids.tolist()


def test_every_note_has_a_chord_and_outside_is_none() -> None:
    rows = played(["Dm7", "G7"])
    found = estimate(rows)
    assert (found.at([row[0] for row in rows]) != NO_CHORD).all()
    assert found.at([-1.0, 1e6]).tolist() == [NO_CHORD, NO_CHORD]


def test_silence_has_no_chords() -> None:
    nothing = estimate_chords([], [], [])
    assert len(nothing.ids) == 0
    assert nothing.at([0.0, 1.0]).tolist() == [NO_CHORD, NO_CHORD]


def test_a_passing_note_does_not_change_the_chord() -> None:
    rows = played(["Cmaj7", "Cmaj7", "Cmaj7"])
    passing = [(2.5 + 0.1 * i, 0.1, 73 + i) for i in range(4)]
    found = estimate(rows + passing)
    assert set(found.at(np.arange(0.5, 5.5, 0.25)).tolist()) == {Chord(0, "maj7").id}
