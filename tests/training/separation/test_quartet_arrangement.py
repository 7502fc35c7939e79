"""The accompaniment that is made for a solo: its notes, against chords and beats."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quartet_samples import BARS, beats, solo

from tatumflow.engine.band.band_note import PARTS, RANGES, BandNote
from tatumflow.engine.band.drum_keys import CRASHES, PEDAL_HAT
from tatumflow.engine.band.form import CHORUS
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line
from tatumflow.training.data.corpora.wjazzd_beats import Beat
from tatumflow.training.separation.quartet.accompaniment import accompaniment, band_bars
from tatumflow.training.separation.quartet.arrangement import arrange
from tatumflow.training.separation.quartet.beat_notes import MOST_OFFSET, Touch, play
from tatumflow.training.separation.quartet.solos import cut_solo

SEEDS = st.integers(0, 10_000)


def part(name: str, seed: int, grid: tuple[Beat, ...] | None = None) -> list[BandNote]:
    notes = accompaniment(grid or beats(), np.random.default_rng(seed))
    return [note for note in notes if note.part == name]


def test_the_bars_of_a_recording_have_its_chords_choruses_and_odd_lengths():
    grid = (*beats(BARS[:9])[2:], *beats(("G7",), start=30.0, bar=3))
    bars = band_bars(grid)
    assert [bar.beats for bar in bars] == [2, *[4] * 8, 3]
    assert [bar.start for bar in bars] == [0, 2, 6, 10, 14, 18, 22, 26, 30, 34]
    assert [bar.number for bar in bars if bar.opens == CHORUS] == [4, 8, 9]
    for bar in bars:
        for place in range(bar.beats):
            assert bar.chord_at(place) == grid[bar.start + place].chord


@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_the_band_stays_on_its_instruments_over_a_recording(seed: int):
    for note in accompaniment(beats(), np.random.default_rng(seed)):
        lowest, highest = RANGES[note.part]
        assert lowest <= note.pitch <= highest


@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_the_bass_begins_each_chord_on_a_chord_tone(seed: int):
    grid = beats()
    line = {note.beat: note for note in part("bass", seed, grid)}
    for number, beat in enumerate(grid):
        if beat.chord is not None and (number == 0 or beat.chord != grid[number - 1].chord):
            tones = beat.chord.pitch_classes if beat.chord.bass is None else {beat.chord.bass}
            assert line[number].pitch % 12 in tones


def test_beats_without_a_chord_have_no_bass_and_no_piano():
    grid = beats(("NC", "NC", "G7", "G7"))
    for name in ("bass", "comping"):
        notes = part(name, 0, grid)
        assert notes
        assert min(note.beat for note in notes) >= 7.5, "an anticipation at the earliest"


def test_the_drums_play_through_with_the_hat_on_two_and_four_and_crash_at_a_chorus():
    for seed in range(10):
        hats = [note.beat for note in part("drums", seed) if note.pitch == PEDAL_HAT]
        assert sorted(hats) == [number for number in range(len(beats())) if number % 4 in (1, 3)]
    crashes = {note.beat for seed in range(30) for note in part("drums", seed) if note.pitch in CRASHES}
    assert crashes == {16, 32}


def test_other_meters_are_played_through():
    grid = beats(BARS, bar=3)
    for name in PARTS:
        assert max(note.beat for note in part(name, 0, grid)) > len(grid) - 4


@given(seed=SEEDS, behind=st.floats(-0.05, 0.05))
@settings(deadline=None, max_examples=30)
def test_played_notes_are_on_the_beats_they_claim(seed: int, behind: float):
    grid = beats()
    notes = accompaniment(grid, np.random.default_rng(seed))
    played = play(notes, grid, Touch(behind, 0.02, 9), np.random.default_rng(seed))
    for note, sounded in zip(notes, played, strict=True):
        number = int(note.beat)
        claimed = grid[number].time + (note.beat - number) * 0.4
        assert abs(sounded.onset - claimed) <= MOST_OFFSET + 1e-9
        assert sounded.duration > 0
        assert 1 <= sounded.velocity <= 127
        assert sounded.pitch == note.pitch


def test_players_are_human():
    played = play(part("bass", 0), beats(), Touch(), np.random.default_rng(0))
    offsets = [min(abs(note.onset - beat.time) for beat in beats()) for note in played]
    assert len({round(offset, 5) for offset in offsets}) > 20
    assert len({note.velocity for note in played}) > 5


def test_the_same_seed_gives_the_same_notes_and_another_gives_others():
    first, again, other = (arrange(solo(), np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert first == again
    assert first.notes["piano"] != other.notes["piano"]
    assert first.notes["drums"] != other.notes["drums"]
    assert [n.pitch for n in first.notes["horn"]] == [n.pitch for n in other.notes["horn"]]


def test_the_horn_is_the_solo_moved_to_the_start():
    tune = solo()
    arrangement = arrange(tune, np.random.default_rng(0))
    horn = arrangement.notes["horn"]
    np.testing.assert_allclose(
        [n.onset for n in horn], tune.horn.onset - tune.beats[0].time + 0.25, atol=1e-9
    )
    assert [n.pitch for n in horn] == tune.horn.pitch.tolist()
    assert len({n.velocity for n in horn}) > 5
    assert arrangement.seconds == max(n.offset for notes in arrangement.notes.values() for n in notes)


def test_transposition_moves_all_but_the_drums_and_tempo_moves_all():
    plain = arrange(solo(), np.random.default_rng(0)).notes
    moved = arrange(solo(), np.random.default_rng(0), transposition=3, tempo=1.25).notes
    for stem, notes in plain.items():
        by = 0 if stem == "drums" else 3
        there = {(round((n.onset - 0.25) / 1.25, 6), n.pitch + by) for n in notes if n.onset > 0}
        assert there == {(round(n.onset - 0.25, 6), n.pitch) for n in moved[stem] if n.onset > 0}


def test_the_real_bass_plays_where_it_was_transcribed_and_the_made_one_elsewhere():
    onset = np.array([b.time for b in beats()[:16]])
    real = Line(onset, np.full(16, 0.3), 30 + np.arange(16))
    tune = solo(bass=real)
    arrangement = arrange(tune, np.random.default_rng(0))
    line = arrangement.notes["bass"]
    start = tune.beats[0].time - 0.25
    early = [n for n in line if n.onset + start < onset[-1] + 1.4]
    assert [n.pitch for n in early] == real.pitch.tolist()
    assert max(n.onset + start for n in line) > tune.beats[-3].time
    assert arrangement.real_bass == pytest.approx(16 / len(line))


def annotated(melody: Line, walking: Line) -> AnnotatedSolo:
    grid = beats()
    nothing = Line(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    times = np.array([beat.time for beat in grid])
    return AnnotatedSolo("x.csv", "x", "val", melody, nothing, walking, times, np.ones(len(grid), np.int64))


def test_a_solo_is_cut_from_its_bar_to_the_bar_line_after_its_end():
    melody = Line(np.array([5.5, 14.9]), np.array([0.1, 0.2]), np.array([60, 62]))
    cut = cut_solo(annotated(melody, melody), beats())
    assert cut is not None
    assert (cut.name, cut.tune, cut.split) == ("x", "x", "val")
    # Bars begin at 3.0 + 1.6 k.
    assert cut.beats[0].time == pytest.approx(4.6)
    assert cut.beats[-1].time == pytest.approx(15.8)


def test_solos_without_chords_or_with_a_hole_are_passed_over():
    melody = Line(np.array([3.0, 15.0]), np.array([0.1, 0.2]), np.array([60, 62]))
    assert cut_solo(annotated(melody, melody), beats()) is not None
    silent = tuple(replace(beat, chord=None) for beat in beats())
    assert cut_solo(annotated(melody, melody), silent) is None
    hole = tuple(beat for beat in beats() if not 8 < beat.time < 11)
    assert cut_solo(annotated(melody, melody), hole) is None
