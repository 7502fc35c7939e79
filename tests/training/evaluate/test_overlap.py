"""Overlapping windows: every note once, with context, under the same conditions for any length of window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from swing_pieces import swing_piece

from tatumflow.engine.model.tokens import ABSENT, encode_notes
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.windows import Window
from tatumflow.training.evaluate.compare.overlap import overlapping, whole_piece

SEEDS = range(8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> PackedCorpus:
    path = tmp_path_factory.mktemp("overlap") / "packed"
    pack([swing_piece(seed, 6 + 5 * seed, "val", f"swing-{seed}") for seed in SEEDS], path)
    return PackedCorpus.open(path)


def turns(window: Window) -> NDArray[np.bool_]:
    return np.all(window.fields == np.array(ABSENT), axis=1)


@pytest.mark.parametrize("index", SEEDS)
def test_a_whole_piece_is_every_note_of_it(corpus: PackedCorpus, index: int) -> None:
    piece = corpus.pieces("val")[index]
    whole = whole_piece(corpus, piece)
    scored = whole.scored.all(axis=1)
    notes = corpus.notes(piece)
    assert np.array_equal(
        whole.target[scored],
        encode_notes(notes["onset"], notes["duration"], notes["pitch"], notes["velocity"]),
    )
    assert not whole.piece[scored].any()
    assert len(whole.role) == piece.length + turns(whole).sum()
    assert not whole.chord.any()
    assert not whole.next_chord.any()


def test_pieces_are_played_in_turns(corpus: PackedCorpus) -> None:
    wholes = [whole_piece(corpus, piece) for piece in corpus.pieces("val")]
    assert max(turns(whole).sum() for whole in wholes) > 2
    assert len({tuple(whole.role[:2]) for whole in wholes}) > 1


@settings(deadline=None)
@given(index=st.sampled_from(SEEDS), seq_len=st.integers(8, 600))
def test_every_note_is_scored_once_with_half_a_window_before_it(
    corpus: PackedCorpus, index: int, seq_len: int
) -> None:
    whole = whole_piece(corpus, corpus.pieces("val")[index])
    found = []
    for number, window in enumerate(overlapping(whole, seq_len)):
        assert len(window.role) <= seq_len
        turn = turns(window)
        assert turn[0]
        assert not turn[1]
        scored = np.flatnonzero(window.scored.any(axis=1))
        assert len(window.role) - 1 not in scored
        if number:
            assert scored.min() + 1 >= seq_len // 2
        found.append(window.target[scored])
    assert np.array_equal(np.concatenate(found), whole.target[whole.scored.any(axis=1)])


@settings(deadline=None)
@given(index=st.sampled_from(SEEDS), seq_len=st.integers(8, 600))
def test_a_window_reads_what_the_piece_holds(corpus: PackedCorpus, index: int, seq_len: int) -> None:
    whole = whole_piece(corpus, corpus.pieces("val")[index])
    known = np.concatenate([whole.fields, whole.role[:, None], whole.style[:, None]], axis=1)
    place = 0
    for window in overlapping(whole, seq_len):
        read = np.concatenate([window.fields, window.role[:, None], window.style[:, None]], axis=1)
        # Windows follow each other, so the next begins after this one does.
        while not np.array_equal(known[place + 1 : place + len(read)], read[1:]):
            place += 1
            assert place < len(known)
        assert known[place, 4:].tolist() == read[0, 4:].tolist()
