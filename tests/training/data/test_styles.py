"""Profiles of players: where their styles begin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from swing_pieces import swing_piece

from tatumflow.training.data.corpora.piece import NOTE_DTYPE, Piece
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.styles import style_profiles


def line(seed: int, player: str) -> Piece:
    """Return a line of single notes."""
    rng = np.random.default_rng(seed)
    notes = np.zeros(400, NOTE_DTYPE)
    notes["onset"] = 0.15 * np.arange(400)
    notes["duration"] = 0.12
    notes["pitch"] = 60 + np.cumsum(rng.integers(-2, 3, 400)) % 24
    return Piece(f"line-{seed}", "horns", player, "Line", "train", notes)


@pytest.fixture
def corpus(tmp_path: Path) -> PackedCorpus:
    pianists = [
        replace(swing_piece(seed, bars=64, name=f"swing-{seed}"), player=player, corpus="piano")
        for seed, player in enumerate(("Art Tatum", "Earl Hines"))
    ]
    pack([*pianists, line(1, "Lester Young"), line(2, "Ben Webster")], tmp_path / "packed", min_style_notes=1)
    return PackedCorpus.open(tmp_path / "packed")


def test_profiles_bring_players_of_one_kind_together(corpus: PackedCorpus) -> None:
    profiles = style_profiles(corpus)
    assert not profiles[0].any()
    assert len(profiles) == 5
    assert np.allclose(profiles[1:].mean(axis=0), 0, atol=1e-4)
    tatum, hines, young, webster = (
        profiles[corpus.style_id(name)] for name in ("Art Tatum", "Earl Hines", "Lester Young", "Ben Webster")
    )
    assert np.linalg.norm(young - webster) < 0.5 * np.linalg.norm(young - tatum)
    assert np.linalg.norm(tatum - hines) < 0.5 * np.linalg.norm(hines - webster)


def test_profiles_are_the_same_every_time(corpus: PackedCorpus) -> None:
    assert np.array_equal(style_profiles(corpus, 3), style_profiles(corpus, 3))
