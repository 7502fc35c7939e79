"""The weights that give the features of chosen takes the means that players have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.takes.take_chooser import LARGEST
from tatumflow.engine.takes.take_features import FEATURES

Floats = NDArray[np.float64]

RIDGE: Final = 0.15
"""Weight of the squared weights: features that takes of one context hardly differ in stay unweighted."""

_LEAST_DEVIATION: Final = 1e-3
_DIGITS: Final = 4


@dataclass(frozen=True)
class FittedFeature:
    """One feature of a fit.

    Attributes:
        name: Its name.
        weight: Its weight, by its deviation among the model's takes.
        model: Its mean among the model's takes.
        chosen: Its mean among takes drawn by the weights.
        player: Its mean among the player's notes.
    """

    name: str
    weight: float
    model: float
    chosen: float
    player: float


@dataclass(frozen=True)
class TakeFit:
    """Fitted weights.

    Attributes:
        weights: The weights.
        features: What they do to each feature.
        effective: Effective number of takes among which a choice is left, on average.
        choices: How many choices they were fitted on.
    """

    weights: TakeWeights
    features: tuple[FittedFeature, ...]
    effective: float
    choices: int


def fit_weights(
    takes: Floats,
    played: Floats,
    names: Sequence[str],
    gains: Mapping[str, float] | None = None,
) -> TakeFit:
    """Fit weights w, so that takes drawn by exp(w . f) have the players' mean features.

    The dual of the maximum-entropy problem with the means as constraints, with a ridge: the log partition
    function over each choice's takes, averaged, less w times the players' means. It is convex.

    Args:
        takes: Features of the takes of each choice, (n, K, F) as `FEATURES`.
        played: Features of players' notes, (m, F).
        names: The features that are used.
        gains: By name, by how much more than the difference of player and model a mean is to move; 1 for the
            others.

    Raises:
        ValueError: if there are no takes or no players' notes.
    """
    if not len(takes) or not len(played):
        raise ValueError("weights are fitted on takes and on players' notes; one of them is empty")
    columns = [FEATURES.index(name) for name in names]
    takes, played = takes[..., columns], played[:, columns]
    mean = takes.mean(axis=(0, 1))
    varied = takes.std(axis=(0, 1)) > _LEAST_DEVIATION
    deviation = np.where(varied, takes.std(axis=(0, 1)), 1.0)
    standard = np.clip((takes - mean) / deviation, -LARGEST, LARGEST)
    plain = standard.mean(axis=(0, 1))
    real = np.clip((played - mean) / deviation, -LARGEST, LARGEST).mean(axis=0)
    gain = varied * np.array([(gains or {}).get(name, 1.0) for name in names])
    target = plain + gain * (real - plain)

    def loss(weight: Floats) -> tuple[float, Floats]:
        share, log_partition = _shares(standard, weight)
        reached = np.einsum("nk,nkf->f", share, standard) / len(standard)
        value = log_partition - weight @ target + RIDGE / 2 * weight @ weight
        return float(value), reached - target + RIDGE * weight

    weight: Floats = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x
    share, _ = _shares(standard, weight)
    chosen = np.einsum("nk,nkf->f", share, takes) / len(takes)
    return TakeFit(
        TakeWeights(
            features=tuple(names),
            mean=_rounded(mean),
            deviation=_rounded(deviation),
            weight=_rounded(weight),
        ),
        tuple(
            FittedFeature(name, *map(float, row))
            for name, *row in zip(
                names, weight, takes.mean(axis=(0, 1)), chosen, played.mean(axis=0), strict=True
            )
        ),
        float((1 / (share**2).sum(axis=1)).mean()),
        len(takes),
    )


def averaged(fits: Sequence[TakeFit]) -> TakeWeights:
    """Return the mean of the weights of successive rounds, by the deviations of the first.

    Chosen takes are the context of those that follow, and model and choice together go farther than the
    choice alone: weights fitted after plain takes are too large, those fitted after chosen ones too small.
    Their mean is a damped step to weights that agree with the contexts that they make.
    """
    first = fits[0].weights
    deviation = np.array(first.deviation)
    weight = np.mean(
        [np.array(fit.weights.weight) * deviation / np.array(fit.weights.deviation) for fit in fits], axis=0
    )
    mean = np.mean([fit.weights.mean for fit in fits], axis=0)
    return first.model_copy(update={"mean": _rounded(mean), "weight": _rounded(weight)})


def _shares(standard: Floats, weight: Floats) -> tuple[Floats, float]:
    """Return the probability of each take, (n, K), and the mean log of the mean of exp(score)."""
    score = standard @ weight
    top = score.max(axis=1, keepdims=True)
    raised = np.exp(score - top)
    log_partition = float((top[:, 0] + np.log(raised.mean(axis=1))).mean())
    return raised / raised.sum(axis=1, keepdims=True), log_partition


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, _DIGITS).tolist())
