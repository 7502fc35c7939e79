"""Style profiles: features of each player from which the rows of a model's style tables are initialized.

A random row has to learn from the player's own notes alone that, say, a saxophone plays one note at a time;
rows that begin near those of similar players share what is learned.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.theory.features import NUM_FEATURES, PARTS, phrase_features
from tatumflow.training.data.packing import PackedCorpus, style_slug

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
    phrases: dict[str, list[tuple[int, int]]] = {style: [] for style in corpus.index.styles}
    for piece in corpus.played("train"):
        chosen = phrases.get(style_slug(piece.player))
        if chosen is not None:
            starts = range(piece.start, piece.start + piece.length - _PHRASE_NOTES + 1, _PHRASE_NOTES)
            chosen.extend((start, start + _PHRASE_NOTES) for start in starts)
    means = np.zeros((len(phrases), NUM_FEATURES), np.float32)
    for row, bounds in enumerate(phrases.values()):
        if bounds:
            drawn = rng.permutation(len(bounds))[:_PHRASES]
            means[row] = _features(corpus.array, [bounds[i] for i in drawn]).mean(axis=0)
    kept = np.concatenate([means[:, part.slice] for part in PARTS if part.name in PROFILED], axis=1)
    profiles = np.zeros((1 + len(kept), kept.shape[1]), np.float32)
    if len(kept):
        profiles[1:] = (kept - kept.mean(axis=0)) / np.maximum(kept.std(axis=0), _TINY)
    return profiles


def _features(notes: NDArray[np.void], bounds: list[tuple[int, int]]) -> NDArray[np.float32]:
    chosen = np.concatenate([notes[start:end] for start, end in bounds])
    return phrase_features(
        chosen["onset"].astype(np.float64),
        chosen["duration"].astype(np.float64),
        chosen["pitch"].astype(np.int64),
        chosen["velocity"].astype(np.int64),
        np.repeat(np.arange(len(bounds)), [end - start for start, end in bounds]),
        len(bounds),
    )
