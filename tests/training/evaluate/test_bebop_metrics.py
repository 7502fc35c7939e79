"""Bebop vocabulary: hand-made phrases, and what is left of them at random."""

import numpy as np
import pytest

from tatumflow.engine.harmony.chords import chord_id, parse_chord
from tatumflow.training.data.corpora.piece import NOTE_DTYPE
from tatumflow.training.evaluate.metrics.bebop import (
    ADDED_TONES,
    CHORD_TONES,
    GUIDE_TONES,
    SCALES,
    Harmony,
    Line,
    enclosures,
    line_on_beats,
    notes_at_changes,
    passing_tones,
    vocabulary,
)

ROOTS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


def over(*symbols: str, beats: int = 4) -> Harmony:
    ids = [chord_id(parse_chord(symbol)) for symbol in symbols for _ in range(beats)]
    return Harmony.of_beats(0.5 * np.arange(len(ids)), ids)


def steps(count: int, step: float = 0.5, start: float = 0.0) -> np.ndarray:
    return start + step * np.arange(count)


def eighths(*pitches: int, start: float = 0.0) -> Line:
    return Line(steps(len(pitches), start=start), np.array(pitches, dtype=np.int64))


def classes(table: np.ndarray, symbol: str) -> set[int]:
    return set(np.flatnonzero(table[chord_id(parse_chord(symbol))]).tolist())


def test_guide_tones_are_third_and_seventh():
    assert classes(GUIDE_TONES, "G7") == {11, 5}
    assert classes(GUIDE_TONES, "Dm7") == {5, 0}
    assert classes(GUIDE_TONES, "Cmaj7") == {4, 11}
    assert not GUIDE_TONES[0].any()
    assert not (GUIDE_TONES & ~CHORD_TONES).any()


def test_bebop_scales_add_one_tone_that_two_and_five_share():
    assert classes(ADDED_TONES, "G7") == {6}
    assert classes(ADDED_TONES, "Dm7") == {6}
    assert classes(ADDED_TONES, "Cmaj7") == {8}
    assert classes(ADDED_TONES, "Bm7b5") == classes(ADDED_TONES, "G7")
    assert not classes(ADDED_TONES, "Bdim7")
    assert not (ADDED_TONES & (CHORD_TONES | SCALES)).any()


def test_the_first_note_at_each_change_counts():
    harmony = over("Dm7", "G7", "Cmaj7")
    # F is the third of Dm7, but the first chord changes from none; B of G7 is early; D of C comes a beat
    # late.
    line = Line(np.array([0.0, 3.9, 4.2, 9.0]), np.array([65, 71, 60, 62]))
    assert notes_at_changes(line, harmony).tolist() == [[1, 1]]
    found = vocabulary(line, harmony)
    assert (found.changes, found.chord_tones, found.guide_tones) == (1, 1, 1)
    root = vocabulary(Line(line.place, line.pitch - 4), harmony)
    assert (root.chord_tones, root.guide_tones) == (1, 0)


def test_a_bebop_scale_has_its_passing_tone_between_beats():
    harmony = over("G7", "G7")
    descending = eighths(67, 66, 65, 64, 62, 60, 59, 57)
    assert passing_tones(descending, harmony).tolist() == [1]
    found = vocabulary(descending, harmony)
    assert (found.passing, found.passing_off_beat, found.added) == (1, 1, 1)
    later = eighths(67, 66, 65, 64, 62, 60, 59, 57, start=0.5)
    found = vocabulary(later, harmony)
    assert (found.passing, found.passing_off_beat, found.added) == (1, 0, 0)


def test_other_chromatic_tones_pass_without_being_added():
    found = vocabulary(eighths(64, 63, 62), over("G7"))
    assert (found.passing, found.added) == (1, 0)
    assert vocabulary(eighths(66, 65, 64), over("G7")).passing == 0


@pytest.mark.parametrize("pitches", [(67, 66, 67), (69, 66, 65), (65, 67, 66)])
def test_a_neighbour_or_a_leap_is_no_passing_tone(pitches: tuple[int, ...]):
    assert not len(passing_tones(eighths(*pitches), over("G7")))


@pytest.mark.parametrize("pitches", [(65, 63, 64), (66, 63, 64), (63, 65, 64), (63, 66, 64)])
def test_an_enclosure_approaches_from_both_sides(pitches: tuple[int, ...]):
    assert enclosures(eighths(*pitches), over("Cmaj7")).tolist() == [2]
    assert not len(enclosures(eighths(*pitches), over("Bb7")))


@pytest.mark.parametrize("pitches", [(65, 66, 64), (63, 62, 64), (68, 63, 64), (65, 60, 64)])
def test_two_notes_of_one_side_or_far_ones_enclose_nothing(pitches: tuple[int, ...]):
    assert not len(enclosures(eighths(*pitches), over("Cmaj7")))


def test_a_rest_breaks_a_figure():
    apart = Line(np.array([0.0, 1.5, 3.0]), np.array([65, 63, 64]))
    assert not len(enclosures(apart, over("Cmaj7")))
    assert not len(passing_tones(Line(apart.place, np.array([67, 66, 65])), over("G7")))


def test_everything_transposes():
    rng = np.random.default_rng(3)
    line = eighths(*rng.integers(55, 80, size=32).tolist())
    symbols = ("Dm7", "G7", "Cmaj7", "A7")
    plain = vocabulary(line, over(*symbols))
    for semitones in range(1, 12):
        moved = [f"{ROOTS[(ROOTS.index(s[0]) + semitones) % 12]}{s[1:]}" for s in symbols]
        assert vocabulary(Line(line.place, line.pitch + semitones), over(*moved)) == plain


def test_phrases_moved_off_their_chords_lose_their_enclosures():
    figure = (65, 63, 64, 60, 68, 66, 67, 64)
    line, harmony = eighths(*figure * 8), over(*["Cmaj7"] * 8)
    moved = [len(enclosures(Line(line.place, line.pitch + shift), harmony)) for shift in range(12)]
    assert moved[0] == 16
    assert max(moved[1:]) < moved[0]


def test_random_notes_hit_chord_tones_as_often_as_there_are_any():
    rng = np.random.default_rng(0)
    harmony = over(*["Dm7", "G7"] * 400)
    line = Line(steps(3200, step=1.0, start=0.1), rng.integers(48, 84, size=3200))
    found = vocabulary(line, harmony)
    assert found.changes == 799
    assert found.chord_tones / found.changes == pytest.approx(4 / 12, abs=0.05)
    assert found.guide_tones / found.changes == pytest.approx(2 / 12, abs=0.05)


def test_shuffled_chords_keep_the_changes():
    harmony = over("Dm7", "G7", "Cmaj7", "A7")
    other = harmony.shuffled(np.random.default_rng(1))
    assert sorted(other.chords) == sorted(harmony.chords)
    assert other.starts.tolist() == harmony.starts.tolist()
    assert harmony.at(np.array([0.0, 3.9, 4.0, 15.0])).tolist() == harmony.chords[[0, 0, 1, 3]].tolist()


def test_the_line_is_the_highest_note_within_the_beats():
    notes = np.zeros(4, dtype=NOTE_DTYPE)
    notes["onset"], notes["pitch"] = (-0.1, 0.25, 0.25, 1.6), (90, 60, 64, 70)
    line = line_on_beats(notes, steps(4))
    assert line.place.tolist() == [0.5]
    assert line.pitch.tolist() == [64]
    assert vocabulary(line_on_beats(notes[:0], steps(4)), over("C7")).notes == 0
