"""Key, motif, breath and beat on small music whose figures can be worked out by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.metrics import beat, key, motif, phrasing
from tatumflow.training.evaluate.metrics.pitch import pitch_class_counts
from tatumflow.training.evaluate.parts.answer_motifs import SHARED, answer_motif_figures
from tatumflow.training.evaluate.parts.answer_relevance import Call
from tatumflow.training.evaluate.parts.beat_figures import beat_figures, measure_beat

Notes = NDArray[np.void]

C_MAJOR = (60, 62, 64, 65, 67, 69, 71)


def line(pitches: Sequence[int], step: float = 0.25, length: float = 0.2) -> Notes:
    """Notes one after the other."""
    return note_array(step * np.arange(len(pitches)), [length] * len(pitches), pitches, [64] * len(pitches))


def at(onsets: Sequence[float] | NDArray[np.float64], pitches: Sequence[int] | None = None) -> Notes:
    """Short notes at given times."""
    count = len(onsets)
    return note_array(onsets, [0.05] * count, pitches or [60] * count, [64] * count)


def test_a_scale_is_diatonic_and_all_twelve_are_not() -> None:
    scale = math.sin(7 * math.pi / 12) / (7 * math.sin(math.pi / 12))
    assert key.diatonicity(line(C_MAJOR)) == pytest.approx(scale)
    assert key.diatonicity(line([pitch + 5 for pitch in C_MAJOR])) == pytest.approx(scale)
    assert key.diatonicity(line(range(60, 72))) == pytest.approx(0, abs=1e-9)
    assert key.diatonicity(line([60] * 5)) == pytest.approx(1)
    assert math.isnan(key.diatonicity(line([])))


def test_windows_stay_diatonic_where_the_whole_changes_key() -> None:
    moving = line([*(C_MAJOR * 3)[:16], *(pitch + 6 for pitch in (C_MAJOR * 3)[:16])])
    assert key.diatonicity(moving) < 0.1
    assert key.windowed_diatonicity(moving, 8.0) > 0.5


@pytest.mark.parametrize("tonic", [0, 3, 7])
def test_the_key_of_a_scale_is_found(tonic: int) -> None:
    major = line([60 + tonic, *(pitch + tonic for pitch in C_MAJOR), 67 + tonic, 60 + tonic])
    minor = line([60 + tonic, *(60 + tonic + above for above in (0, 2, 3, 5, 7, 8, 11)), 67 + tonic])
    assert key.estimated_key(pitch_class_counts(major)) == tonic
    assert key.estimated_key(pitch_class_counts(minor)) == 12 + tonic


def test_keys_agree_with_themselves_and_not_with_the_far_side_of_the_circle() -> None:
    near, far = line(C_MAJOR), line([pitch + 6 for pitch in C_MAJOR])
    assert key.same_key(near, near) == 1
    assert key.same_key(near, far) == 0
    assert key.fifths_agreement(near, near) == pytest.approx(1)
    assert key.fifths_agreement(near, far) == pytest.approx(-1)
    assert key.fifths_agreement(near, line([pitch + 7 for pitch in C_MAJOR])) == pytest.approx(
        math.cos(math.pi / 6)
    )
    assert key.pitch_class_cosine(near, near) == pytest.approx(1)
    assert key.key_fit_to(near, near) > key.key_fit_to(far, near)
    assert math.isnan(key.same_key(near, line([])))


def test_one_modulation_is_counted_once_and_none_where_there_is_none() -> None:
    stays = line([*C_MAJOR, *C_MAJOR[::-1]] * 6)
    moves = line([*([*C_MAJOR, 67, 60] * 5), *(pitch + 6 for pitch in [*C_MAJOR, 67, 60] * 5)])
    assert key.modulations_per_minute(stays, 20.0) == 0
    path = key.key_path(moves, 20.0)
    assert (np.diff(path) != 0).sum() == 1
    assert (path[0], path[-1]) == (0, 6)


def repeated_figures(notes: np.ndarray) -> float:
    return motif.repeated_share(motif.steps(notes))


def test_a_repeated_cell_is_counted_each_time_it_comes() -> None:
    cell = [60, 62, 63, 67]
    assert repeated_figures(line(cell)) == 0
    # Seven steps make five cells: the one of the figure comes first and last.
    assert repeated_figures(line(cell + [pitch + 5 for pitch in cell])) == pytest.approx(2 / 5)
    assert repeated_figures(line(list(range(60, 70)))) == 1
    assert math.isnan(repeated_figures(line([60, 62])))


def test_rhythms_repeat_whatever_their_tempo() -> None:
    figure = [0.0, 0.3, 0.4, 0.7, 0.8, 1.0]
    slow = [2.0 + 2 * time for time in figure]
    faster = motif.ratio_classes(at(figure))
    assert (motif.ratio_classes(at(slow)) == faster).all()
    assert motif.repeated_rhythms(line([60] * 10)) == 1
    assert motif.returned_share(motif.ratio_classes(at(slow)), faster) == 1


def test_cells_of_a_source_differ_from_new_ones() -> None:
    source = motif.steps(line([60, 62, 63, 67, 65]))
    assert motif.returned_share(motif.steps(line([70, 72, 73, 77, 75])), source) == 1
    assert motif.returned_share(motif.steps(line([70, 69, 63, 61, 75])), source) == 0
    assert motif.returned_share(source, motif.steps(line([70, 72, 73, 77]))) == pytest.approx(1 / 2)


def test_a_varied_sequence_is_like_itself_and_random_notes_less() -> None:
    rng = np.random.default_rng(0)
    figure = [60, 64, 62, 65, 69, 67, 60, 55]
    varied = [pitch + up + (rng.random() < 0.3) for up in (0, 2, 5, 7) for pitch in figure]
    scattered = rng.integers(48, 84, 32).tolist()
    assert motif.self_similarity(line(varied)) > 0.75
    assert motif.self_similarity(line(scattered)) < 0.4
    assert motif.likeness_to(line(varied[:8]), line(figure)) == 1
    assert math.isnan(motif.self_similarity(line(figure)))


def test_a_reply_that_quotes_its_call_takes_more_from_it_than_from_others() -> None:
    rng = np.random.default_rng(0)
    calls = [
        Call(f"{i}", "c", "", line([]), line(call), line(rng.integers(50, 80, 12).tolist()))
        for i, call in enumerate(rng.integers(50, 80, (6, 12)).tolist())
    ]
    quoted = [line((call.notes["pitch"].astype(int) + 5).tolist()) for call in calls]
    figures = answer_motif_figures(calls, {"follow": quoted})
    assert set(figures) == set(SHARED)
    steps = figures["steps"]
    assert steps["follow"]["own"]["value"] == 1
    assert steps["follow"]["difference"]["interval"][0] > 0.5
    assert steps["real"]["own"]["value"] < 0.2
    assert steps["follow"]["ratio"]["value"] > 1 or steps["real"]["own"]["value"] == 0
    assert figures["likeness"]["follow"]["own"]["value"] == 1


def test_phrases_are_cut_at_rests() -> None:
    notes = at([0.0, 0.2, 0.4, 1.4, 1.6, 4.0])
    found = phrasing.phrases(notes)
    assert found.notes.tolist() == [3, 2, 1]
    np.testing.assert_allclose(found.seconds, [0.45, 0.25, 0.05], atol=1e-6)
    np.testing.assert_allclose(found.rests, [0.95, 2.35], atol=1e-6)
    assert phrasing.rests_per_minute(notes, 20.0) == 6
    assert phrasing.longest_rest(notes) == pytest.approx(2.35, abs=1e-6)
    assert phrasing.phrase_notes(notes) == 2
    assert len(phrasing.last_phrase(notes)) == 1
    assert len(phrasing.last_phrase(line([60] * 4))) == 4


def test_the_right_hand_rests_while_the_left_goes_on() -> None:
    left, right = np.arange(0, 8, 0.25), np.array([0.0, 0.25, 0.5, 2.0, 2.25, 5.0])
    pitches = [40] * len(left) + [72] * len(right)
    notes = note_array([*left, *right], [0.3] * len(pitches), pitches, [64] * len(pitches))
    assert phrasing.rests_per_minute(notes, 10.0) == 0
    assert phrasing.line_rests_per_minute(notes, 10.0) == 12
    assert phrasing.line_phrase_onsets(notes) == 2
    assert math.isnan(phrasing.line_phrase_onsets(notes[notes["pitch"] < 60]))


def test_velocities_spread_only_where_they_are_known() -> None:
    loud = note_array([0, 1, 2], [0.1] * 3, [60] * 3, [60, 80, 70])
    assert phrasing.velocity_spread(loud) == pytest.approx(np.std([60, 80, 70]))
    assert phrasing.velocity_step(loud) == 15
    silent = note_array([0, 1, 2], [0.1] * 3, [60] * 3, [0, 0, 0])
    assert math.isnan(phrasing.velocity_spread(silent))


def swung(ratio: float, tempo: float, beats: int = 32, late: float = 0.0) -> tuple[list[float], list[float]]:
    """Eighths of so much swing, and the beats under them."""
    beat_seconds = 60.0 / tempo
    pulse = [beat_seconds * i for i in range(beats + 1)]
    onsets = [p + late + part for p in pulse[:-1] for part in (0.0, beat_seconds * ratio / (1 + ratio))]
    return onsets, pulse


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_the_swing_ratio_is_read_off_the_eighths(ratio: float) -> None:
    onsets, pulse = swung(ratio, 180, late=0.02)
    ratios = beat.swing_ratios(beat.place_onsets(onsets, pulse))
    assert len(ratios) > 20
    np.testing.assert_allclose(ratios, ratio, rtol=1e-6)


def test_onsets_on_half_beats_are_concentrated_and_random_ones_are_not() -> None:
    onsets, pulse = swung(1.0, 200, late=0.03)
    placed = beat.place_onsets(onsets, pulse)
    assert beat.concentration(placed) == pytest.approx(1 - math.sqrt(math.pi / (4 * len(placed.place))))
    rng = np.random.default_rng(0)
    scattered = [
        beat.concentration(beat.place_onsets(np.sort(rng.uniform(0, pulse[-1], 60)), pulse))
        for _ in range(200)
    ]
    assert abs(np.mean(scattered)) < 0.01
    assert math.isnan(beat.concentration(beat.place_onsets([1.0], pulse)))


def test_late_onsets_are_late_by_their_milliseconds() -> None:
    onsets, pulse = swung(1.0, 150, late=0.025)
    late = beat.asynchronies(beat.place_onsets(onsets, pulse))
    np.testing.assert_allclose(late, 0.025, atol=1e-9)


def test_onsets_are_placed_on_an_uneven_pulse() -> None:
    placed = beat.place_onsets([-0.1, 0.5, 1.5, 2.0, 9.0], [0.0, 1.0, 3.0])
    np.testing.assert_allclose(placed.place, [0.5, 1.25, 1.5])
    np.testing.assert_allclose(placed.period, [1, 2, 2])
    assert beat.tempo_of([0.0, 0.5, 1.0]) == 120


def test_takes_stand_beside_solos_of_their_tempo() -> None:
    takes = [measure_beat(at(onsets), pulse) for onsets, pulse in (swung(2.0, 160), swung(1.5, 200))]
    real = {"slow": measure_beat(at(swung(1.0, 150)[0]), swung(1.0, 150)[1])}
    figures = beat_figures(takes, real, {"slow"})
    assert figures["140-180"]["takes"] == figures["140-180"]["solos"] == 1
    assert figures["180-240"]["solos"] == 0
    assert figures["140-180"]["swing_ratio"]["companion"]["value"] == pytest.approx(2.0, rel=1e-3)
    assert figures["140-180"]["swing_ratio"]["held_out"]["value"] == pytest.approx(1.0, rel=1e-3)
    assert figures["all"]["concentration"]["ratio"]["value"] > 0
