"""A packed corpus of melodies that the project makes, and tiny models of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from swing_pieces import swing_piece

from tatumflow.engine.melodies.melody import GridNote, Melody, melody_of
from tatumflow.training.data.corpora.piece import Piece, Split
from tatumflow.training.data.packing import pack
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.music_vae.config import MusicVaeConfig
from tatumflow.training.models.music_vae.model import MusicVae

TINY: Final[dict[str, Any]] = {
    "bars": 2,
    "latent_dim": 6,
    "embedding_dim": 8,
    "encoder_dim": 16,
    "conductor_dim": 12,
    "decoder_dim": 16,
}

SCALE: Final = melody_of([GridNote(4 * i, 2, 60 + i) for i in range(8)], 2)
"""Two bars of quarters with rests."""

ARPEGGIO: Final = melody_of([GridNote(2 * i, 2, 72 - 2 * (i % 5)) for i in range(16)], 2)
"""Two bars of eighths."""


def pack_melodies(path: Path, bars: int = 210) -> Path:
    """Pack two players' pieces of both sides, with beats; enough training bars for attributes."""
    sides: tuple[tuple[Split, int], ...] = (("train", bars), ("val", 16))
    pieces = [
        _piece(10 * player + side, length, split, name)
        for player, name in enumerate(("Low Player", "High Player"))
        for side, (split, length) in enumerate(sides)
    ]
    pack(pieces, path, {"synthetic": "CC0"})
    return path


def _piece(seed: int, bars: int, split: Split, player: str) -> Piece:
    return replace(swing_piece(seed, bars, split, f"{player} {split}"), player=player)


def tiny_model(**changes: Any) -> MusicVae:
    """Return a model with random weights that are large enough for its outputs to differ."""
    torch.manual_seed(0)
    model = MusicVae(MusicVaeConfig.model_validate(TINY | changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model.eval()


def melody_checkpoint(path: Path, model: MusicVae) -> Path:
    """Write a model as a checkpoint of a run of five steps."""
    identity = {
        "family": "music_vae",
        "model": model.config.model_dump(mode="json"),
        "config": {"family": "music_vae"},
    }
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save({"global_step": 5, "state_dict": weights, CHECKPOINT_KEY: identity}, path)
    return path


def silent(bars: int = 2) -> Melody:
    """Return a melody of rests."""
    return melody_of([], bars)
