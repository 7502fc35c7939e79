"""Attribute vectors: differences of mean latents, for arithmetic in the latent space."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.training.data.packing import PackedCorpus, PackedPiece, style_slug
from tatumflow.training.melodies.data.blues import is_blues_piece
from tatumflow.training.melodies.data.windows import MelodyWindows, in_random_keys
from tatumflow.training.models.music_vae.model import MusicVae

BLUES: Final = "blues"

FEWEST_MELODIES: Final = 100
"""Fewest melodies that do not overlap, of an attribute."""

MOST_PLAYERS: Final = 24
"""Most players among the attributes: those with most melodies."""

_BATCH: Final = 512


def attribute_vectors(
    model: MusicVae, windows: MelodyWindows, corpus: PackedCorpus, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return the vector (latent_dim,) of each attribute: players by their slugs, and "blues".

    It is the mean latent of the melodies that have the attribute less that of those that do not (Roberts et
    al. 2018, section 5.2.2), of melodies that do not overlap, each in a random key, so that the keys of the
    tunes are not in it.
    """
    chosen = windows.apart()
    events = in_random_keys(windows.melodies(chosen), np.random.default_rng(seed))
    latents = encoded(model, events).astype(np.float64)
    vectors: dict[str, NDArray[np.float64]] = {}
    for name, pieces in attribute_pieces(windows.pieces, corpus).items():
        has = np.isin(windows.piece[chosen], pieces)
        if FEWEST_MELODIES <= np.count_nonzero(has) < len(has):
            vectors[name] = latents[has].mean(axis=0) - latents[~has].mean(axis=0)
    return vectors


def attribute_pieces(pieces: Sequence[PackedPiece], corpus: PackedCorpus) -> dict[str, Ints]:
    """Return the numbers of the pieces that have each attribute: the players with most notes, and blues."""
    notes: dict[str, int] = {}
    for piece in pieces:
        slug = style_slug(piece.player)
        if slug:
            notes[slug] = notes.get(slug, 0) + piece.length
    players = sorted(notes, key=lambda slug: -notes[slug])[:MOST_PLAYERS]
    slugs = np.array([style_slug(piece.player) for piece in pieces], dtype=object)
    found = {player: np.flatnonzero(slugs == player) for player in sorted(players)}
    blues = [number for number, piece in enumerate(pieces) if is_blues_piece(corpus.notes(piece))]
    return {**found, BLUES: np.array(blues, np.int64)}


@torch.inference_mode()
def encoded(model: MusicVae, events: Ints) -> Floats:
    """Return the posterior means (n, latent_dim) of melodies (n, steps)."""
    parts = [model.encoder(part)[0] for part in torch.from_numpy(events).split(_BATCH)]
    return torch.cat(parts).numpy() if parts else np.zeros((0, model.config.latent_dim), np.float32)
