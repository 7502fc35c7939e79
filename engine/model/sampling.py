"""Sampling from logits: pure functions, each of which keeps at least one value.

An excluded value has the logit -inf. Filters return a new array of the same shape (n,) float32.
"""

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats

EXCLUDED: Final = np.float32(-np.inf)
"""Logit of an excluded value."""

_BELOW_ONE: Final = 1.0 - 2.0**-52
"""Largest share of a total that stays below it after rounding."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of the sampling of a note. The ranges are those of `Controls`.

    The temperature applies to all fields, the filters to pitch alone: a rest, like a long note, is one of
    many values, none of them likely; filters would drop them all and make the playing denser than the
    corpora.

    Attributes:
        temperature: Divides the logits; 0 gives the likeliest value.
        top_k: Number of likeliest pitches kept; 0 keeps all.
        top_p: The smallest set of likeliest pitches with at least this probability is kept; 1 keeps all.
        min_p: Pitches below this share of the likeliest one's probability are dropped; 0 drops none.
        pocket: Weight of the place in the beat where a time shift ends, as `with_landings` takes it; nothing
            to a model that reads no beat, or where no beat is known.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.98
    min_p: float = 0.01
    pocket: float = 1.0


def _weights(logits: Floats) -> Floats:
    """Return probabilities as shares of the likeliest one; all 1 where every value is excluded."""
    highest = logits[logits.argmax()]
    return np.exp(logits - highest) if highest > EXCLUDED else np.ones_like(logits)


def probabilities(logits: Floats) -> Floats:
    """Return the probabilities of logits (n,); uniform where every value is excluded."""
    weight = _weights(logits)
    return weight / weight.sum()


def temperature(logits: Floats, value: float) -> Floats:
    """Divide logits by a temperature; 0 leaves only the likeliest value, the first of equals."""
    if value > 0:
        return logits / np.float32(max(value, 1e-4))
    kept = np.full_like(logits, EXCLUDED)
    best = int(logits.argmax())
    kept[best] = logits[best]
    return kept


def top_k(logits: Floats, k: int) -> Floats:
    """Keep the `k` likeliest values and those as likely as the last of them; 0 keeps all."""
    if not 0 < k < len(logits):
        return logits
    return np.where(logits >= np.partition(logits, -k)[-k], logits, EXCLUDED)


def top_p(logits: Floats, p: float) -> Floats:
    """Keep the fewest likeliest values that together reach `p`, and those as likely as the last of them.

    Nucleus sampling (Holtzman et al. 2020).
    """
    if p >= 1:
        return logits
    weight = _weights(logits)
    ranked = np.sort(weight)
    mass = ranked.cumsum(dtype=np.float64)
    first_kept = mass.searchsorted((1.0 - p) * mass[-1], side="right")
    return np.where(weight >= ranked[min(first_kept, len(ranked) - 1)], logits, EXCLUDED)


def min_p(logits: Floats, share: float) -> Floats:
    """Drop values less likely than `share` of the likeliest one (Nguyen et al. 2024)."""
    if share <= 0:
        return logits
    return np.where(logits >= logits[logits.argmax()] + np.float32(log(min(share, 1.0))), logits, EXCLUDED)


def choose(logits: Floats, sampling: Sampling, uniform: float) -> int:
    """Return the value at quantile `uniform`, in [0, 1), under the temperature.

    Where every value is excluded, all are equally likely, and temperature 0 gives the first.
    """
    if sampling.temperature <= 0:
        return int(logits.argmax())
    return _at(temperature(logits, sampling.temperature), uniform)


def choose_pitch(logits: Floats, sampling: Sampling, uniform: float) -> int:
    """Return the value at quantile `uniform`, in [0, 1), under temperature and filters."""
    if sampling.temperature <= 0:
        return int(logits.argmax())
    scaled = temperature(logits, sampling.temperature)
    return _at(min_p(top_p(top_k(scaled, sampling.top_k), sampling.top_p), sampling.min_p), uniform)


def _at(logits: Floats, uniform: float) -> int:
    mass = _weights(logits).cumsum(dtype=np.float64)
    return int(mass.searchsorted(min(uniform, _BELOW_ONE) * mass[-1], side="right"))
