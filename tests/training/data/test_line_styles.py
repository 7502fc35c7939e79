"""Styles whose players play one note at a time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from swing_pieces import swing_piece

from tatumflow.training.data.corpora.piece import Piece
from tatumflow.training.data.line_styles import line_styles
from tatumflow.training.data.packing import PackedCorpus, pack


def line(seed: int, player: str, overlap: float = 0.0) -> Piece:
    """Return a piece whose notes follow each other, each held into the next by some seconds."""
    piece = swing_piece(seed, name=f"line-{seed}")
    notes = piece.notes[np.unique(piece.notes["onset"], return_index=True)[1]].copy()
    notes["duration"] = np.diff(notes["onset"], append=notes["onset"][-1] + 0.25) + overlap
    return replace(piece, notes=notes, player=player)


def test_players_of_lines_and_no_pianists(tmp_path: Path) -> None:
    pieces = [
        *(replace(swing_piece(seed, name=f"piano-{seed}"), player="Bud Powell") for seed in range(2)),
        *(line(seed, "Charlie Parker", overlap=0.03) for seed in range(2, 4)),
        line(5, "Lester Young"),
        *(line(seed, "Clumsy Transcriber", overlap=0.2) for seed in range(6, 8)),
    ]
    pack(pieces, tmp_path / "packed", min_style_notes=1)
    corpus = PackedCorpus.open(tmp_path / "packed")
    assert corpus.index.styles == ("bud-powell", "charlie-parker", "clumsy-transcriber", "lester-young")
    assert line_styles(corpus) == ("charlie-parker", "lester-young")
