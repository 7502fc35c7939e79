"""The accompaniment that is made for a solo: its notes, against chords and beats."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quartet_samples import BARS, beats, solo

from tatumflow.engine.harmony.chords import Chord
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line
from tatumflow.training.separation.quartet import swing_drums as drums
from tatumflow.training.separation.quartet import walking_bass as bass
from tatumflow.training.separation.quartet.arrangement import arrange
from tatumflow.training.separation.quartet.beat_notes import MOST_OFFSET, BeatNote, Touch, offbeat, play
from tatumflow.training.separation.quartet.comping import comping, voicing
from tatumflow.training.separation.quartet.solos import cut_solo

SEEDS = st.integers(0, 10_000)
Player = Callable[..., list[BeatNote]]


def chord_at(number: int) -> Chord:
    chord = beats()[number].chord
    assert chord is not None
    return chord


@given(seed=SEEDS)
@settings(deadline=None, max_examples=30)
def test_the_walking_bass_begins_each_chord_on_a_chord_tone_and_stays_on_the_instrument(seed: int):
    grid = beats()
    line = bass.walking_bass(grid, np.random.default_rng(seed))
    on_beats = {note.beat: note for note in line if note.beat == int(note.beat)}
    assert len(on_beats) == len(grid), "a note on every beat"
    for number in range(len(grid)):
        if number == 0 or grid[number].chord != grid[number - 1].chord:
            chord = chord_at(number)
            allowed = chord.pitch_classes if chord.bass is None else {chord.bass}
            assert on_beats[number].pitch % 12 in allowed
    assert all(bass.LOWEST <= note.pitch <= bass.HIGHEST for note in line)


def test_the_walking_bass_is_mostly_on_roots_and_moves_by_small_steps():
    notes = [
        n for s in range(20) for n in bass.walking_bass(beats(), np.random.default_rng(s)) if n.beat % 1 == 0
    ]
    firsts = [note for note in notes if note.beat in (0, 4, 8, 16, 20, 24)]
    roots = sum(note.pitch % 12 == chord_at(int(note.beat)).root for note in firsts)
    assert roots > 0.6 * len(firsts)
    steps = np.abs(np.diff([note.pitch for note in notes]))
    assert np.median(steps) <= 5
    assert (steps == 0).mean() < 0.15


def test_beats_without_a_chord_have_no_bass_and_no_piano():
    grid = beats(("NC", "NC", "G7", "G7"))
    for player in (bass.walking_bass, comping):
        notes = player(grid, np.random.default_rng(0))
        assert notes
        assert min(note.beat for note in notes) >= 7.5, "an anticipation at the earliest"


@pytest.mark.parametrize("shells", [False, True])
@pytest.mark.parametrize("symbol", BARS)
def test_voicings_have_the_third_lie_in_range_and_near_their_center(symbol: str, shells: bool):
    (chord,) = {beat.chord for beat in beats((symbol,))}
    assert chord is not None
    for center in (56.0, 60.0, 66.0):
        pitches = voicing(chord, center, shells)
        above_root = {(pitch - chord.root) % 12 for pitch in pitches}
        assert above_root & {3, 4, 5}
        assert pitches == sorted(set(pitches))
        assert 48 <= min(pitches) <= max(pitches) <= 76
        assert abs(np.mean(pitches) - center) <= 7


@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_comping_voices_the_chord_in_force_or_the_one_it_anticipates(seed: int):
    grid = beats()
    notes = comping(grid, np.random.default_rng(seed))
    assert notes
    for place in {note.beat for note in notes}:
        number = int(place)
        ahead = place % 1 > 0 and number % 4 == 3 and number + 1 < len(grid)
        chord = chord_at(number + 1 if ahead else number)
        struck = sorted(note.pitch for note in notes if note.beat == place)
        found = [
            voicing(chord, center, shells) for center in np.arange(56, 66.5, 0.25) for shells in (True, False)
        ]
        assert struck in found


def test_comping_moves_its_voices_little():
    notes = comping(beats(), np.random.default_rng(1))
    places = sorted({note.beat for note in notes})
    means = [np.mean([note.pitch for note in notes if note.beat == place]) for place in places]
    assert np.abs(np.diff(means)).max() < 8


@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_the_drums_swing_with_the_hat_on_two_and_four(seed: int):
    grid = beats(BARS[:7])
    notes = drums.swing_drums(grid, np.random.default_rng(seed))
    hats = sorted(note.beat for note in notes if note.pitch == drums.PEDAL_HAT)
    assert hats == [number for number in range(len(grid)) if number % 4 in (1, 3)]
    rides = {note.beat for note in notes if note.pitch in (*drums.RIDES, drums.CLOSED_HAT)}
    assert set(range(len(grid))) <= rides
    assert {round(place % 1, 6) for place in rides} <= {0.0, round(offbeat(0.4), 6)}


def test_the_snare_comps_between_the_beats_and_choruses_begin_with_a_crash():
    notes = [n for s in range(30) for n in drums.swing_drums(beats(), np.random.default_rng(s))]
    assert {note.beat for note in notes if note.pitch in drums.CRASHES} == {16, 32}
    assert any(note.pitch == drums.SNARE and note.beat % 1 for note in notes)
    assert any(note.pitch == drums.KICK and note.velocity < 45 for note in notes)
    assert any(note.pitch in drums.TOMS for note in notes)


def test_other_meters_are_played_through():
    grid = beats(BARS, bar=3)
    for player in (bass.walking_bass, comping, drums.swing_drums):
        notes = player(grid, np.random.default_rng(0))
        assert max(note.beat for note in notes) > len(grid) - 4


def test_eighths_swing_less_the_faster_it_goes():
    assert offbeat(0.6) == pytest.approx(2 / 3)
    assert 0.5 < offbeat(0.25) < 2 / 3
    assert offbeat(0.15) == 0.5


@given(seed=SEEDS, behind=st.floats(-0.05, 0.05))
@settings(deadline=None, max_examples=30)
def test_played_notes_are_on_the_beats_they_claim(seed: int, behind: float):
    grid = beats()
    notes = drums.swing_drums(grid, np.random.default_rng(seed))
    played = play(notes, grid, Touch(behind, 0.02, 9), np.random.default_rng(seed))
    for note, sounded in zip(notes, played, strict=True):
        number = int(note.beat)
        claimed = grid[number].time + (note.beat - number) * 0.4
        assert abs(sounded.onset - claimed) <= MOST_OFFSET + 1e-9
        assert sounded.duration > 0
        assert 1 <= sounded.velocity <= 127
        assert sounded.pitch == note.pitch


def test_players_are_human():
    played = play(
        bass.walking_bass(beats(), np.random.default_rng(0)), beats(), Touch(), np.random.default_rng(0)
    )
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
