"""Whether interpolations move steadily from one melody to the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tatumflow.engine.arrays import Ints
from tatumflow.engine.melodies.features import distance, features_of, pitch_class_distance
from tatumflow.engine.melodies.interpolation import LatentPath, interpolated
from tatumflow.engine.melodies.melody import Melody
from tatumflow.training.evaluate.bootstrap import mean
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.melodies.evaluation.autoencoder import Autoencoder

PLACES: Final = 9
"""Places of a way, both ends included."""

MIXED: Final = "mixed events"
"""The way that needs no model: each event is one of the two melodies', at random."""


@dataclass(frozen=True)
class Ways:
    """Interpolations of n pairs of melodies.

    Attributes:
        start: The first melodies, (n, steps).
        end: The last ones, (n, steps).
        decoded: By the name of the way, the melodies at its places, (n, PLACES, steps).
    """

    start: Ints
    end: Ints
    decoded: dict[str, Ints]


def interpolate_pairs(model: Autoencoder, start: Ints, end: Ints, seed: int) -> Ways:
    """Interpolate pairs of melodies, both (n, steps), on each way."""
    before, after = model.encode(start), model.encode(end)
    shares = np.linspace(0, 1, PLACES)
    decoded = {
        path.value: np.stack(
            [model.decode(interpolated(before, after, float(share), path)) for share in shares], axis=1
        )
        for path in LatentPath
    }
    drawn = np.random.default_rng(seed).random((len(start), 1, start.shape[1]))
    decoded[MIXED] = np.where(drawn < shares[:, None], end[:, None], start[:, None])
    return Ways(start, end, decoded)


def monotony(ways: Ways, seed: int) -> dict[str, Figures]:
    """Return the mean rank correlation of the place with features, by way and feature; 1 is monotone.

    The features are the distance from the first melody and, negated, from the last one, and of what is
    decoded density, mean pitch and the closeness of its pitch classes to the last one's rather than the first
    one's. The sign of density and of pitch is that of the way; pairs whose ends are equal in one are left
    out of it.
    """
    return {
        name: {
            feature: value_and_interval(mean(values, seed=seed))
            for feature, values in _correlations(ways, decoded).items()
        }
        for name, decoded in ways.decoded.items()
    }


def _correlations(ways: Ways, decoded: Ints) -> dict[str, NDArray[np.float64]]:
    far = distance(decoded, ways.start[:, None])
    near = distance(decoded, ways.end[:, None])
    rows: dict[str, list[float]] = {"density": [], "mean_pitch": [], "pitch_classes": []}
    for pair in decoded:
        features = [features_of(Melody(tuple(events))) for events in pair.tolist()]
        rows["density"].append(_directed([one.density for one in features]))
        rows["mean_pitch"].append(_directed([one.mean_pitch for one in features]))
        nearer = [
            pitch_class_distance(one, features[0]) - pitch_class_distance(one, features[-1])
            for one in features
        ]
        rows["pitch_classes"].append(_rank_correlation(np.array(nearer)))
    return {
        "from_first": np.array([_rank_correlation(row) for row in far]),
        "to_last": np.array([_rank_correlation(-row) for row in near]),
        **{name: np.array(values) for name, values in rows.items()},
    }


def _directed(values: list[float]) -> float:
    """Return the rank correlation of a feature with the place, signed by its ends; NaN if those are equal."""
    row = np.array(values)
    if not np.isfinite(row).all() or row[0] == row[-1]:
        return float("nan")
    return float(np.sign(row[-1] - row[0]) * _rank_correlation(row))


def _rank_correlation(values: NDArray[np.float64]) -> float:
    ranks = rankdata(values)
    if np.ptp(ranks) == 0:
        return float("nan")
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
