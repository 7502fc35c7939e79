"""Sums by piece: what is added, and the figures that are taken from them."""

import numpy as np
import pytest
from swing_pieces import swing_piece

from tatumflow.engine.model.tokens import FIELD_SIZES, VELOCITY
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.evaluate.bootstrap import bootstrap
from tatumflow.training.evaluate.compare.overlap import whole_piece
from tatumflow.training.evaluate.likelihood.piece_sums import (
    COUNTS,
    WIDTH,
    empty_sums,
    field_accuracy,
    field_nats,
    nats_per_note,
    note_accuracy,
    tally,
)


def row(nats: float, notes: int, velocities: bool = True) -> np.ndarray:
    """Return a piece whose every known field costs `nats` and is right in every second value."""
    counts = np.full(4, float(notes))
    counts[VELOCITY] *= velocities
    return np.concatenate([nats * counts, counts, counts / 2, [notes / 4]])


def test_figures_are_means_over_values() -> None:
    sums = np.stack([row(2, 10), row(1, 30), row(2, 10) + row(1, 30)])
    assert field_nats(sums)[:, 0].tolist() == [2, 1, 1.25]
    assert nats_per_note(sums).tolist() == [8, 4, 5]
    assert field_accuracy(sums)[:, VELOCITY].tolist() == [0.5, 0.5, 0.5]
    assert note_accuracy(sums).tolist() == [0.25, 0.25, 0.25]


def test_a_field_that_nothing_has_is_left_out() -> None:
    sums = row(2, 10, velocities=False)[None]
    assert np.isnan(field_nats(sums)[0, VELOCITY])
    assert nats_per_note(sums).tolist() == [6]


def test_a_draw_that_lacks_a_field_does_not_count() -> None:
    sums = np.stack([row(2, 10), row(2, 10, velocities=False)])
    interval = bootstrap(sums, nats_per_note)
    assert (interval.value, interval.low, interval.high) == (8, 8, 8)


@pytest.mark.parametrize("field", range(4))
def test_scored_values_are_added_to_their_piece(field: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sums") / "packed"
    pack([swing_piece(0, 4, "val")], path)
    corpus = PackedCorpus.open(path)
    window = whole_piece(corpus, corpus.pieces("val")[0])
    window.piece[window.piece == 0] = 1
    window.scored[5, field] = False
    notes = int(window.scored.any(axis=1).sum())
    logits = [np.zeros((len(window.role), size), np.float32) for size in FIELD_SIZES]
    logits[field][np.arange(len(window.role)), window.target[:, field]] = 50
    sums = empty_sums(2)
    tally(sums, window, logits)
    assert sums.shape == (2, WIDTH)
    assert not sums[0].any()
    assert sums[1, COUNTS].tolist() == [notes - (i == field) for i in range(4)]
    expected = np.log(FIELD_SIZES)
    expected[field] = 0
    assert np.allclose(field_nats(sums)[1], expected, atol=1e-6)
    assert field_accuracy(sums)[1, field] == 1
