"""Melodies of a packed corpus: bars, windows, keys, order, blues."""

from dataclasses import replace

import numpy as np
import pytest
from melody_samples import pack_melodies
from swing_pieces import swing_piece

from tatumflow.engine.errors import SettingError
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.melodies.features import sounding_pitch
from tatumflow.engine.melodies.feel import straightened
from tatumflow.engine.melodies.melody import FIRST_PITCH, HOLD, NUM_EVENTS, event_of
from tatumflow.training.data.corpora.piece import NOTE_DTYPE
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.melodies.data.batches import MelodyStream, SpreadStream, bars_at
from tatumflow.training.melodies.data.blues import is_blues_piece
from tatumflow.training.melodies.data.lines import read_lines
from tatumflow.training.melodies.data.windows import MelodyWindows, in_random_keys


@pytest.fixture(scope="module", name="corpus")
def packed_corpus(tmp_path_factory: pytest.TempPathFactory) -> PackedCorpus:
    return PackedCorpus.open(pack_melodies(tmp_path_factory.mktemp("melodies") / "packed", 24))


def test_a_line_is_the_melody_over_the_chords():
    piece = swing_piece(0, 8)
    (line,) = read_lines(piece.notes, 2)
    assert len(line.events) == 8 * 16
    assert line.off_beat == pytest.approx(0.68, abs=0.01)
    onsets = np.flatnonzero(line.events >= FIRST_PITCH)
    # Swung eighths lie on even steps once the swing is taken out.
    assert (onsets % 2 == 0).all()
    # Notes above all voicings are in it.
    high = piece.notes[piece.notes["pitch"] > 72]
    steps = np.rint(4 * straightened(high["beat"], line.off_beat)).astype(int)
    assert sounding_pitch(line.events)[steps].tolist() == high["pitch"].tolist()


def test_a_line_ends_where_the_beat_is_unknown_or_not_in_four():
    notes = swing_piece(0, 12).notes.copy()
    gap = (notes["beat"] >= 16) & (notes["beat"] < 20)
    notes["period"][gap] = 0
    assert [len(line.events) // 16 for line in read_lines(notes, 2)] == [4, 7]
    waltz = swing_piece(0, 12).notes.copy()
    waltz["bar_beat"] = np.floor(waltz["beat"] + 1e-6).astype(np.int8) % 3
    assert not list(read_lines(waltz, 2))
    assert not list(read_lines(waltz[:0], 2))


def test_windows_begin_on_every_bar_and_can_lie_apart(corpus: PackedCorpus):
    windows = MelodyWindows.read(corpus, "train", 2)
    assert len(windows) == 2 * 23
    assert len(windows.apart()) == 2 * 12
    assert windows.melodies(np.arange(3)).shape == (3, 32)
    assert set(windows.piece.tolist()) == {0, 1}
    val = MelodyWindows.read(corpus, "val", 2)
    assert {piece.split for piece in val.pieces} == {"val"}


def test_a_share_of_the_pieces_and_known_corpora(corpus: PackedCorpus):
    half = MelodyWindows.read(corpus, "train", 2, share=0.5)
    assert len(half.pieces) == 1
    assert len(MelodyWindows.read(corpus, "train", 2, notes_per_bar=9)) == 0
    with pytest.raises(SettingError, match="'weimar' is not packed; choose from synthetic"):
        MelodyWindows.read(corpus, "train", 2, ("weimar",))


def test_keys_are_drawn_within_the_piano():
    rng = np.random.default_rng(0)
    row = np.array([HOLD, event_of(21), event_of(40), event_of(108)])[None].repeat(200, 0)
    low, high = row[:, :3], row[:, [0, 3]]
    for events in (low, high):
        moved = in_random_keys(events, rng)
        assert moved.max() < NUM_EVENTS
        assert (moved[:, 0] == HOLD).all()
        assert (moved[:, 1:] >= FIRST_PITCH).all()
        assert len({int(shift) % 12 for shift in (moved - events)[:, 1]}) == 12
    intervals = np.diff(in_random_keys(low, rng)[:, 1:], axis=1)
    assert (intervals == 19).all()


def test_a_resumed_stream_continues(corpus: PackedCorpus):
    windows = MelodyWindows.read(corpus, "train", 2)
    whole = list(MelodyStream(windows, 16, 8, seed=3))
    rest = list(MelodyStream(windows, 16, 8, seed=3, start=lambda: 5))
    assert len(whole) == 8
    for one, other in zip(whole[5:], rest, strict=True):
        assert (one.events == other.events).all()
    first_epoch = np.concatenate([batch.piece.numpy() for batch in whole])[: len(windows)]
    assert np.bincount(first_epoch).tolist() == [23, 23]
    assert not (whole[0].events == whole[3].events).all()


def test_melodies_grow_bar_by_bar(corpus: PackedCorpus):
    windows = MelodyWindows.read(corpus, "train", 4)
    whole = list(MelodyStream(windows, 8, 7, seed=3))
    grown = list(MelodyStream(windows, 8, 7, seed=3, lengthened=4))
    assert [batch.events.shape[1] // 16 for batch in grown] == [1, 1, 2, 2, 4, 4, 4]
    for one, other in zip(grown, whole, strict=True):
        assert (one.events == other.events[:, : one.events.shape[1]]).all()
    assert [bars_at(batch, 8, 16) for batch in range(9)] == [1, 1, 2, 2, 4, 4, 8, 8, 16]
    assert [bars_at(batch, 6, 3) for batch in range(7)] == [1, 1, 1, 2, 2, 2, 3]
    assert bars_at(0, 0, 16) == 16


def test_validation_batches_are_spread_over_all(corpus: PackedCorpus):
    windows = MelodyWindows.read(corpus, "val", 2)
    batches = list(SpreadStream(windows, 8, 2))
    assert [len(batch.events) for batch in batches] == [8, 8]
    assert set(np.concatenate([batch.piece.numpy() for batch in batches]).tolist()) == {0, 1}
    assert len(list(SpreadStream(windows, 64, 2))) == 1


def chorus(fifth: int, seventh: int, count: int = 3) -> np.ndarray:
    """Return quarters over 12 bars, whose fifth and seventh bars have these roots, after a bar of pickup."""
    roots = [0] * 4 + [fifth] * 2 + [seventh] * 2 + [7, 5, 0, 0]
    notes = np.zeros(48 * count, NOTE_DTYPE)
    beat = np.arange(48 * count)
    notes["beat"], notes["bar_beat"], notes["period"], notes["pitch"] = beat + 1, beat % 4, 0.4, 60
    notes["chord"] = [Chord(roots[at // 4 % 12], "7").id for at in range(48 * count)]
    return notes


def test_a_blues_is_found_by_its_chords():
    assert is_blues_piece(chorus(5, 0))
    assert is_blues_piece(chorus(5, 0)[20:])
    assert not is_blues_piece(chorus(2, 0))
    assert not is_blues_piece(chorus(5, 5))
    assert not is_blues_piece(chorus(5, 0)[:40])
    assert not is_blues_piece(replace(swing_piece(0, 48)).notes)
    assert not is_blues_piece(chorus(5, 0)[:0])
