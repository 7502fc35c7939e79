"""Figures of music against values worked out by hand, and against what must not change them."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.metrics.music_metrics import METRICS, metrics_of, stretch_of
from tatumflow.training.evaluate.metrics.onsets import onset_groups, onset_times, skyline
from tatumflow.training.evaluate.metrics.pitch import (
    kl_divergence,
    pitch_class_counts,
    pitch_class_entropy,
    pitch_class_transitions,
    pitch_entropy,
    transition_cosine,
)
from tatumflow.training.evaluate.metrics.repetition import longest_repeat, most_repeated_figure
from tatumflow.training.evaluate.metrics.rhythm import (
    INTERVAL_CLASSES,
    groove_similarity,
    inter_onset_statistics,
    interval_classes,
    rhythm_diversity,
)
from tatumflow.training.evaluate.metrics.texture import (
    chord_tone_share,
    distinct_voicings,
    longest_silence,
    note_density,
    onset_density,
    polyphony,
    struck_together,
    voicings,
)

Notes = NDArray[np.void]


def line(pitches: Sequence[int], step: float = 0.25, length: float = 0.2) -> Notes:
    """Notes one after the other."""
    return note_array(step * np.arange(len(pitches)), [length] * len(pitches), pitches, [64] * len(pitches))


def chords(*sets: Sequence[int], step: float = 0.5, length: float = 0.4) -> Notes:
    """Chords one after the other."""
    rows = [(step * i, length, pitch, 64) for i, chord in enumerate(sets) for pitch in chord]
    return note_array(*np.array(rows).T)


NOTHING = line([])

some_notes = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60), st.integers(30, 90)), min_size=1, max_size=40
).map(lambda rows: note_array(*(np.array(column) for column in _columns(rows))))


def _columns(rows: list[tuple[int, int, int]]) -> tuple[list[float], list[float], list[int], list[int]]:
    return [r[0] / 20 for r in rows], [r[1] / 20 for r in rows], [r[2] for r in rows], [64] * len(rows)


def transposed(notes: Notes, semitones: int) -> Notes:
    moved = notes.copy()
    moved["pitch"] = moved["pitch"].astype(np.int64) + semitones
    return moved


def test_notes_within_thirty_milliseconds_are_one_onset() -> None:
    notes = note_array([0, 0.02, 0.032 + 0.02, 1], [0.1] * 4, [60, 64, 67, 60], [64] * 4)
    assert onset_groups(notes).tolist() == [0, 0, 1, 2]
    assert onset_times(notes) == pytest.approx([0, 0.052, 1])
    assert skyline(notes).tolist() == [64, 67, 60]


def test_pitch_classes_by_hand() -> None:
    notes = line([60, 72, 64, 67])
    assert pitch_class_counts(notes).tolist() == [2, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert pitch_class_entropy(notes) == pytest.approx(1.5)
    assert pitch_entropy(notes) == pytest.approx(2)


def test_divergence_by_hand() -> None:
    expected = 0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.75)
    assert kl_divergence([2, 0], [0, 2], smoothing=1) == pytest.approx(expected)
    assert kl_divergence([5, 1, 3], [5, 1, 3]) == 0


def test_transitions_by_hand() -> None:
    matrix = pitch_class_transitions(chords([60], [64, 67], [60]))
    assert matrix[0, 4] == matrix[0, 7] == pytest.approx(0.5)
    assert matrix[4, 0] == matrix[7, 0] == pytest.approx(0.5)
    assert matrix.sum() == pytest.approx(2)
    assert transition_cosine(matrix, matrix) == pytest.approx(1)
    other = pitch_class_transitions(line([61, 63, 61]))
    assert transition_cosine(matrix, other) == 0
    assert math.isnan(transition_cosine(matrix, np.zeros((12, 12))))


@settings(deadline=None)
@given(some_notes, st.integers(-12, 12))
def test_transposition_changes_pitch_classes_and_nothing_of_rhythm_or_texture(notes: Notes, by: int) -> None:
    moved = transposed(notes, by)
    assert metrics_of(moved, 20.0) == pytest.approx(metrics_of(notes, 20.0), nan_ok=True)
    assert pitch_class_counts(moved).tolist() == np.roll(pitch_class_counts(notes), by).tolist()
    if by % 12 == 0:
        assert kl_divergence(pitch_class_counts(notes), pitch_class_counts(moved)) == pytest.approx(0)


@settings(deadline=None)
@given(some_notes, some_notes)
def test_divergence_and_cosine_keep_their_ranges(one: Notes, other: Notes) -> None:
    assert kl_divergence(pitch_class_counts(one), pitch_class_counts(one)) == 0
    assert kl_divergence(pitch_class_counts(one), pitch_class_counts(other)) >= -1e-12
    cosine = transition_cosine(pitch_class_transitions(one), pitch_class_transitions(other))
    assert math.isnan(cosine) or -1e-9 <= cosine <= 1 + 1e-9


@settings(deadline=None)
@given(some_notes)
def test_ranges(notes: Notes) -> None:
    figures = metrics_of(notes, 20.0)
    assert figures["polyphony"] >= 1 - 1e-6
    assert 0 <= figures["groove_similarity"] <= 1
    assert 0 <= figures["pitch_class_entropy"] <= math.log2(12) + 1e-9
    assert figures["pitch_class_entropy"] <= figures["pitch_entropy"] + 1e-9
    assert figures["onset_density"] <= figures["note_density"]
    assert 0 <= figures["longest_silence"] <= 20
    assert figures["longest_repeat"] <= len(notes) / 2


def test_rhythm_by_hand() -> None:
    even = line([60] * 9)
    assert rhythm_diversity(even) == 0
    assert inter_onset_statistics(even).mean == pytest.approx(0.25)
    assert inter_onset_statistics(even).variability == pytest.approx(0, abs=1e-4)
    swung = note_array([0, 0.34, 0.5, 0.84, 1.0], [0.1] * 5, [60] * 5, [64] * 5)
    assert rhythm_diversity(swung) == pytest.approx(0.9182958)  # long-short twice, short-long once
    assert inter_onset_statistics(swung).variability == pytest.approx(200 * 0.18 / 0.5, rel=1e-4)
    assert len(interval_classes(swung)) == 4
    assert math.isnan(rhythm_diversity(line([60, 62])))
    assert math.isnan(inter_onset_statistics(line([60])).mean)


def test_frames_of_a_transcriber_do_not_change_rhythm_classes() -> None:
    rng = np.random.default_rng(0)
    onset = np.cumsum(rng.uniform(0.1, 0.9, size=400))
    framed = 0.032 * np.rint(onset / 0.032)
    columns = [0.1] * 400, [60] * 400, [64] * 400
    free, gridded = (
        np.bincount(interval_classes(note_array(times, *columns)), minlength=INTERVAL_CLASSES)
        for times in (onset, framed)
    )
    assert np.abs(free - gridded).sum() / 399 < 0.15


def test_groove_by_hand() -> None:
    bar = [0.0, 0.5, 1.0, 1.5]
    same = note_array([*bar, *(t + 2 for t in bar)], [0.1] * 8, [60] * 8, [64] * 8)
    assert groove_similarity(same, 4.0) == 1
    shifted = note_array([*bar, *(t + 2.25 for t in bar)], [0.1] * 8, [60] * 8, [64] * 8)
    assert groove_similarity(shifted, 4.0) == pytest.approx(1 - 8 / 32)
    assert math.isnan(groove_similarity(same, 3.9))


def test_texture_by_hand() -> None:
    notes = note_array([0, 0, 2], [1, 1, 0.5], [60, 64, 67], [64] * 3)
    assert polyphony(notes) == pytest.approx(2.5 / 1.5)
    assert longest_silence(notes, 3.0) == pytest.approx(1)
    assert longest_silence(notes, 5.0) == pytest.approx(2.5)
    assert longest_silence(NOTHING, 5.0) == 5
    assert note_density(notes, 6.0) == pytest.approx(0.5)
    assert onset_density(notes, 4.0) == pytest.approx(0.5)
    assert math.isnan(polyphony(NOTHING))


def test_voicings_are_chords_of_three_counted_once() -> None:
    notes = chords([60, 64, 67], [60, 64, 67], [62, 65, 69], [60, 64])
    assert distinct_voicings(notes) == pytest.approx(100 * 2 / 4)


def test_what_is_struck_together_spans_less_than_two_frames() -> None:
    run = line([60, 62, 64, 65, 67, 69], step=0.032)
    assert struck_together(run) == [{60, 62}, {64, 65}, {67, 69}]
    assert voicings(run) == []
    rolled = note_array([0, 0.02, 0.04, 0.05], [0.1] * 4, [60, 64, 67, 72], [64] * 4)
    assert voicings(rolled) == [{60, 64, 67}]


def test_voicings_are_as_many_on_frames_as_spread_over_them() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.choice([1, 1, 1, 2, 3, 4], size=5000)
    frames = np.cumsum(rng.choice([1, 2, 4, 6], size=5000))
    spread = frames + rng.uniform(-0.5, 0.5, size=5000)
    shares = []
    for onsets in (frames, spread):
        order = np.argsort(onsets)
        times = np.repeat(0.032 * onsets[order], sizes[order])
        pitches = 40 + np.arange(len(times)) % 40
        notes = note_array(times, [0.1] * len(times), pitches, [64] * len(times))
        shares.append(len(voicings(notes)) / len(struck_together(notes)))
    assert shares[0] > 0.4
    assert shares[1] == pytest.approx(shares[0], rel=0.04)


def test_chord_tones_on_strong_beats() -> None:
    notes = line([60, 61, 64, 61, 62, 61], step=0.5)
    assert chord_tone_share(notes, lambda _: {0, 4, 7}, [0.0, 1.0, 2.0]) == pytest.approx(2 / 3)
    assert chord_tone_share(notes, lambda t: {0, 4, 7} if t < 1.5 else set(), [0, 1, 2]) == 1
    assert math.isnan(chord_tone_share(notes, lambda _: {0}, [0.25]))


def test_repetition_by_hand() -> None:
    figure = [60, 62, 64, 65, 67, 69, 71, 72]
    assert most_repeated_figure(line(figure)) == 1
    assert most_repeated_figure(line(figure * 3)) == 3
    assert most_repeated_figure(line([60] * 16)) == 2
    assert most_repeated_figure(line(figure[:5])) == 0
    assert longest_repeat(line([*figure, 80, *figure])) == 8
    assert longest_repeat(line(figure)) == 0
    assert longest_repeat(line([60] * 10)) == 5


def test_a_stretch_begins_at_nought_and_ends_its_notes() -> None:
    notes = note_array([0, 1, 2, 3], [5, 5, 0.5, 1], [60, 62, 64, 65], [64] * 4)
    cut = stretch_of(notes, 1.0, 2.0)
    assert cut["onset"].tolist() == [0, 1]
    assert cut["duration"].tolist() == [2, 0.5]
    assert notes["duration"][1] == 5


def test_too_few_notes_raise_nothing() -> None:
    for notes in (NOTHING, line([60])):
        assert set(metrics_of(notes, 20.0)) == set(METRICS)
