"""The style classifier tells players apart by how they play, and by nothing else."""

import numpy as np
import pytest
from players import pack_players, stride

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.classifiers.style_classifier import (
    choose_styles,
    cross_fitted,
    held_out_accuracy,
    label_stretches,
    train_classifier,
)
from tatumflow.training.evaluate.classifiers.style_features import style_features
from tatumflow.training.evaluate.primers import draw_primers, segments


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> PackedCorpus:
    return pack_players(tmp_path_factory.mktemp("players") / "packed")


def test_players_with_much_music_are_chosen_and_some_always(corpus: PackedCorpus) -> None:
    assert choose_styles(corpus, fewest_seconds=200) == ("art-tatum", "bud-powell", "charlie-parker")
    assert choose_styles(corpus, ["charlie-parker", "absent"]) == ("charlie-parker",)
    assert len(choose_styles(corpus, most=1, fewest_seconds=0)) == 1


def test_two_players_are_classified_on_held_out_pieces(corpus: PackedCorpus) -> None:
    styles = ("art-tatum", "charlie-parker")
    stretches = label_stretches(corpus, styles)
    classifier = train_classifier(stretches, styles)
    accuracy = held_out_accuracy(classifier, stretches)
    assert accuracy["top1"]["value"] == accuracy["piece_top1"]["value"] == 1
    assert accuracy["majority"] == pytest.approx(0.5, abs=0.1)
    assert accuracy["held_out_pieces"] == 4
    crossed = cross_fitted(stretches, styles)
    assert (crossed.argmax(axis=1) == stretches.style).all()
    played = list(segments(stride(np.random.default_rng(9)), 20.0))
    chance = classifier.probabilities([*played, played[0][:0]])
    assert (chance[:-1, classifier.index("art-tatum")] > 0.9).all()
    assert (chance[-1] == 0).all()


def test_shuffled_names_cannot_be_learned(corpus: PackedCorpus) -> None:
    styles = ("art-tatum", "charlie-parker")
    stretches = label_stretches(corpus, styles)
    pieces = np.unique(stretches.piece)
    drawn = dict(zip(pieces.tolist(), np.random.default_rng(3).integers(2, size=len(pieces)), strict=True))
    wrong = type(stretches)(
        stretches.features, np.array([drawn[p] for p in stretches.piece]), stretches.piece, stretches.held_out
    )
    crossed = cross_fitted(wrong, styles, folds=3)
    assert (crossed.argmax(axis=1) == wrong.style).mean() < 0.9


def test_velocity_and_key_are_no_features() -> None:
    notes = next(segments(stride(np.random.default_rng(0)), 20.0))
    moved = notes.copy()
    moved["velocity"] = 1
    assert style_features(moved, 20.0).tolist() == style_features(notes, 20.0).tolist()
    octave = notes.copy()
    octave["pitch"] += 3
    changed = np.abs(style_features(octave, 20.0) - style_features(notes, 20.0)) > 1e-6
    assert changed.any()
    assert changed.mean() < 0.3, "only registers may change"


def test_a_transcribers_frames_hardly_matter(corpus: PackedCorpus) -> None:
    styles = ("bud-powell", "charlie-parker")
    classifier = train_classifier(label_stretches(corpus, styles), styles)
    for primer in draw_primers(corpus, "val", 6, players=styles):
        framed = primer.real.copy()
        framed["onset"] = 0.032 * np.rint(framed["onset"] / 0.032)
        pair = classifier.probabilities([primer.real, framed])
        assert pair[0].argmax() == pair[1].argmax()


@pytest.mark.parametrize("count", [1, 2])
def test_few_notes_have_features_too(count: int) -> None:
    notes = note_array(np.arange(count), [0.5] * count, [30] * count, [0] * count)
    features = style_features(notes, 20.0)
    assert np.isfinite(features).all()
    assert len(features) == len(style_features(stride(np.random.default_rng(0), 20), 20.0))


def test_one_player_alone_cannot_be_classified(corpus: PackedCorpus) -> None:
    with pytest.raises(CorpusError, match="two players"):
        train_classifier(label_stretches(corpus, ["art-tatum"]), ["art-tatum"])
