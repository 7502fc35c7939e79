"""Classifiers that tell sets apart: at chance where there is nothing to tell, and never across a piece."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.bootstrap import Interval
from tatumflow.training.evaluate.classifiers import discriminator, note_network
from tatumflow.training.evaluate.classifiers.discriminator import (
    FRAME_SECONDS,
    Discrimination,
    auc_interval,
    deal,
    discriminate_features,
    discriminate_notes,
    pairs_won,
    snapped,
)
from tatumflow.training.evaluate.parts import listener
from tatumflow.training.evaluate.parts.continuation_figures import Continuations
from tatumflow.training.evaluate.parts.listener import LISTENER_METRICS, OF_PRIMER, Listened, listener_figures
from tatumflow.training.evaluate.primers import Primer
from tatumflow.training.evaluate.report.listener_table import listener_lines

Notes = NDArray[np.void]


def wander(rng: np.random.Generator, step: float = 0.2, velocity: int = 64) -> Notes:
    """A random walk of 40 notes."""
    pitches = np.clip(60 + np.cumsum(rng.integers(-3, 4, 40)), 40, 90)
    return note_array(step * np.arange(40), [0.8 * step] * 40, pitches, [velocity] * 40)


def test_no_piece_is_on_both_sides_of_a_fold() -> None:
    pieces = [f"piece {i // 3}" for i in range(60)]
    fold = deal(pieces, 5, 1)
    assert set(fold.tolist()) == set(range(5))
    for piece in set(pieces):
        assert len({fold[i] for i, name in enumerate(pieces) if name == piece}) == 1
    assert (deal(pieces, 5, 2) != fold).any()


def test_pairs_of_two_folds_do_not_count() -> None:
    label, fold = np.array([1, 0, 1, 0]), np.array([0, 0, 1, 1])
    won = pairs_won(np.array([2.0, 1.0, -5.0, -5.0]), label, fold)
    np.testing.assert_array_equal(won, [[1.0, np.nan], [np.nan, 0.5]])
    assert auc_interval([won], label, ["a", "a", "b", "b"]).value == 0.75


def test_features_tell_what_differs_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    label = np.repeat([1, 0], 60)
    pieces = [f"{i % 60}" for i in range(120)]
    noise = rng.normal(size=(120, 4))
    same = discriminate_features({"noise": noise}, label, pieces, deals=1, permutations=0)
    assert abs(same.auc.value - 0.5) < 0.15
    assert same.auc.low < 0.5 < same.auc.high
    shifted = {"noise": noise, "shift": rng.normal(size=120) + 6 * label}
    result = discriminate_features(shifted, label, pieces, deals=1, permutations=1)
    assert result.auc.value > 0.98
    assert result.importance[0].name == "shift"
    assert result.importance[0].drop > 0.2
    assert result.importance[0].alone > 0.98


def test_notes_tell_a_step_apart_and_not_one_walk_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_network, "EPOCHS", 8)
    monkeypatch.setattr(discriminator, "FOLDS", 2)
    rng = np.random.default_rng(0)
    label = np.repeat([1, 0], 20)
    pieces = [f"{i % 20}" for i in range(40)]
    other = [wander(rng, step=0.2) for _ in range(20)]
    result = discriminate_notes([wander(rng, step=0.45) for _ in range(20)] + other, label, pieces)
    assert result.auc.value > 0.95
    same = discriminate_notes([wander(rng, step=0.2) for _ in range(20)] + other, label, pieces)
    assert same.auc.low < 0.5 < same.auc.high


def test_snapped_notes_lie_on_frames_and_on_the_companions_grid() -> None:
    notes = note_array([0.0, 0.05, 0.5, 0.51], [0.001, 0.1, 2.04, 5.0], [60, 61, 72, 64], [64, 65, 0, 1])
    found = snapped(notes)
    for name in ("onset", "duration"):
        frames = found[name] / FRAME_SECONDS
        np.testing.assert_allclose(frames, np.round(frames), atol=1e-3)
    assert found["duration"].min() > 0
    assert found["pitch"].tolist() == [60, 61, 64, 72]
    assert found["velocity"].tolist()[0] == 63
    assert 0 in found["velocity"]
    moved = notes.copy()
    moved["onset"] += 0.004
    assert (snapped(moved) == found).all()


def test_the_listener_figures_show_a_lost_key_and_a_lost_motif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_network, "EPOCHS", 1)
    monkeypatch.setattr(discriminator, "FOLDS", 3)
    monkeypatch.setattr(discriminator, "DEALS", 1)
    monkeypatch.setattr(discriminator, "PERMUTATIONS", 1)
    rng = np.random.default_rng(0)
    figure = [60, 64, 67, 65, 62, 59, 60, 67]
    primers: list[Primer] = []
    generated: list[Notes] = []
    for i in range(12):
        up = int(rng.integers(12))
        real = note_array(0.2 * np.arange(96), [0.15] * 96, [p + up for p in figure * 12], [64] * 96)
        primers.append(Primer(f"piece {i}", "c", "", "", real[:24], real, real if i % 2 else None))
        lost = note_array(0.2 * np.arange(96), [0.15] * 96, rng.integers(50, 80, 96), [64] * 96)
        generated.append(lost)
    played = Continuations(tuple(primers), tuple(generated), 20.0, Controls(style=""))
    figures = listener_figures(played)
    rows = figures["figures"]
    assert set(rows) == set(LISTENER_METRICS)
    for name in ("diatonicity", "repeated_steps", "self_similarity", "same_key_as_primer"):
        assert rows[name]["companion"]["interval"][1] < rows[name]["player"]["interval"][0], name
        assert rows[name]["control_ratio"]["value"] == pytest.approx(1), name
    assert rows["velocity_spread"]["player"]["value"] == 0
    for kind in ("features", "features_and_primer"):
        assert figures["discriminator"][kind]["companion"]["value"] > 0.9
    assert set(LISTENER_METRICS) > OF_PRIMER
    assert "frechet_music_distance" in figures["unavailable"]
    text = "\n".join(listener_lines({"listener": figures}))
    assert "diatonicity" in text
    assert "AUC, notes" in text


def test_the_control_compares_the_same_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def fixed(_: object, label: NDArray[np.int64], pieces: list[str], **__: object) -> Discrimination:
        seen.append([piece for piece, one in zip(pieces, label, strict=True) if not one])
        return Discrimination(Interval(0.5, 0.4, 0.6))

    monkeypatch.setattr(listener, "discriminate_features", fixed)
    monkeypatch.setattr(listener, "discriminate_notes", fixed)
    notes = wander(np.random.default_rng(0))
    later = tuple(notes if i < 5 else None for i in range(8))
    pieces = tuple(f"piece {i}" for i in range(8))
    listener.discriminator_figures(Listened((notes,) * 8, (notes,) * 8, (notes,) * 8, later, pieces, 8.0))
    assert [len(one) for one in seen] == [8, 8, 8, 5, 5, 5]


def test_unknown_velocities_of_a_player_do_not_give_the_companion_away() -> None:
    rng = np.random.default_rng(0)
    real = wander(rng, velocity=0)
    primers = tuple(Primer(f"{i}", "c", "", "", real[:20], real, None) for i in range(2))
    played = Continuations(primers, (wander(rng), wander(rng)), 12.0, Controls(style=""))
    rows = listener_figures(played)["figures"]
    assert np.isnan(rows["mean_velocity"]["companion"]["value"])
