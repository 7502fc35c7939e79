"""Theory features of a phrase by part, and the distance of two phrases in each."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.theory.features import PARTS, phrase_features
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY

PART_NAMES: Final = tuple(part.name for part in PARTS)

_DYNAMICS: Final = "dynamics"


def phrase_parts(notes: NDArray[np.void]) -> dict[str, NDArray[np.float32] | None]:
    """Return the features of each part of a phrase, (n,), n > 0; no dynamics if a velocity is unknown."""
    onset, duration = notes["onset"].astype(np.float64), notes["duration"].astype(np.float64)
    pitch, velocity = notes["pitch"].astype(np.int64), notes["velocity"].astype(np.int64)
    features = phrase_features(onset, duration, pitch, velocity, np.zeros(len(notes), np.int64), 1)[0]
    known = bool((notes["velocity"] != UNKNOWN_VELOCITY).all())
    return {part.name: features[part.slice] if known or part.name != _DYNAMICS else None for part in PARTS}


def part_distance(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> float:
    """Return the Euclidean distance of a part of two phrases; NaN where either does not have it.

    Of histograms, which are square roots of shares, that is Hellinger's but for a factor.
    """
    return float("nan") if one is None or other is None else float(np.linalg.norm(one - other))
