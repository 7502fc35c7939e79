"""Style profiles: features of each player from which the rows of a model's style tables are initialized.

A random row has to learn from the player's own notes alone that, say, a saxophone plays one note at a time;
rows that begin near those of similar players share what is learned.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.theory.features import NUM_FEATURES, PARTS, phrase_features
from tatumflow.training.data.packing import PackedCorpus, PackedPiece, style_slug

PROFILED: Final = ("melody", "rhythm")
"""Theory parts in a profile. Harmony depends on the key, and dynamics on the recording."""

_PHRASE_NOTES: Final = 32
_PHRASES: Final = 128
_TINY: Final = 1e-3


def style_profiles(corpus: PackedCorpus, seed: int = 0) -> NDArray[np.float32]:
    """Return each style's mean features of melody and rhythm, (S, F), standardized across the styles.

    In the order of the style ids; row 0, no style, is zeros. Up to 128 phrases of each player's training
    pieces, drawn by `seed`, are measured.
    """
    rng = np.random.default_rng(seed)
    phrases: dict[str, list[tuple[PackedPiece, int]]] = {style: [] for style in corpus.index.styles}
    for piece in corpus.played("train"):
        chosen = phrases.get(style_slug(piece.player))
        if chosen is not None:
            starts = range(0, piece.length - _PHRASE_NOTES + 1, _PHRASE_NOTES)
            chosen.extend((piece, start) for start in starts)
    means = np.zeros((len(phrases), NUM_FEATURES), np.float32)
    for row, places in enumerate(phrases.values()):
        if places:
            drawn = (places[i] for i in rng.permutation(len(places))[:_PHRASES])
            chosen = [corpus.notes(piece)[start : start + _PHRASE_NOTES] for piece, start in drawn]
            means[row] = _features(chosen).mean(axis=0)
    kept = np.concatenate([means[:, part.slice] for part in PARTS if part.name in PROFILED], axis=1)
    profiles = np.zeros((1 + len(kept), kept.shape[1]), np.float32)
    if len(kept):
        profiles[1:] = (kept - kept.mean(axis=0)) / np.maximum(kept.std(axis=0), _TINY)
    return profiles


def _features(phrases: list[NDArray[np.void]]) -> NDArray[np.float32]:
    notes = np.concatenate(phrases)
    return phrase_features(
        notes["onset"].astype(np.float64),
        notes["duration"].astype(np.float64),
        notes["pitch"].astype(np.int64),
        notes["velocity"].astype(np.int64),
        np.repeat(np.arange(len(phrases)), [len(phrase) for phrase in phrases]),
        len(phrases),
    )
