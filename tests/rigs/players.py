"""A generated corpus of players with unmistakable styles."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import Piece, Split
from tatumflow.training.data.packing import PackedCorpus, pack

PIECES = 6
"""Pieces of each player; the last two are on the validation side."""


def stride(rng: np.random.Generator, seconds: float = 70.0) -> NDArray[np.void]:
    """Basses and chords in turn under a slow line."""
    rows: list[tuple[float, float, int, int]] = []
    for beat, time in enumerate(np.arange(0.0, seconds, 0.5).tolist()):
        root = int(rng.integers(36, 48))
        if beat % 2:
            rows += [(time, 0.3, root + above, 60) for above in (16, 22, 26)]
        else:
            rows += [(time, 0.4, root, 70), (time, 0.4, root - 8, 70)]
        rows.append((time, 0.45, int(rng.integers(72, 90)), 80))
    return note_array(*np.array(rows).T)


def horn(rng: np.random.Generator, seconds: float = 70.0, step: float = 0.13) -> NDArray[np.void]:
    """One fast line with a rest now and then, without velocities."""
    onset, pitch = [], []
    time, current = 0.0, 65
    while time < seconds:
        for _ in range(int(rng.integers(14, 30))):
            current = int(np.clip(current + rng.integers(-3, 4), 50, 80))
            onset.append(time)
            pitch.append(current)
            time += step
        time += 1.2
    return note_array(onset, [0.9 * step] * len(onset), pitch, [0] * len(onset))


def slow_horn(rng: np.random.Generator) -> NDArray[np.void]:
    """The same three times as slow."""
    return horn(rng, step=0.4)


PLAYERS = {"Art Tatum": stride, "Charlie Parker": horn, "Bud Powell": slow_horn}


def pack_players(folder: Path) -> PackedCorpus:
    """Pack six pieces of each player and open them."""
    rng = np.random.default_rng(0)
    pieces: list[Piece] = []
    for player, play in PLAYERS.items():
        for i in range(PIECES):
            side: Split = "val" if i >= PIECES - 2 else "train"
            name = f"{player} {i}"
            pieces.append(Piece(name, "played", player, f"Tune {i}", side, play(rng)))
    pack(pieces, folder, min_style_notes=100)
    return PackedCorpus.open(folder)
