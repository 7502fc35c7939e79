"""Comparison of generated with real music, and the form in which figures are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from numpy.typing import ArrayLike

from tatumflow.training.evaluate.bootstrap import (
    Groups,
    Interval,
    mean,
    ratio_of_independent_means,
    ratio_of_means,
)

Figures = dict[str, Any]
"""Figures by name, ready for JSON."""


@dataclass(frozen=True)
class Comparison:
    """A mean over generated music, the same over real music, and their ratio."""

    generated: Interval
    real: Interval
    ratio: Interval

    def figures(self) -> Figures:
        """Return `generated`, `real` and `ratio` as numbers, and `interval` of the ratio."""
        return {
            "generated": self.generated.value,
            "real": self.real.value,
            "ratio": self.ratio.value,
            "interval": bounds(self.ratio),
            "generated_interval": bounds(self.generated),
            "real_interval": bounds(self.real),
        }


def compare_pairs(
    generated: ArrayLike, real: ArrayLike, *, groups: Groups | None = None, seed: int = 0
) -> Comparison:
    """Compare figures of pairs, both (n,): generated and real continuations of the same primers."""
    return Comparison(
        mean(generated, groups=groups, seed=seed),
        mean(real, groups=groups, seed=seed),
        ratio_of_means(generated, real, groups=groups, seed=seed),
    )


def compare_sets(
    generated: ArrayLike,
    real: ArrayLike,
    *,
    groups: Groups | None = None,
    real_groups: Groups | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare figures of unpaired sets, (n,) and (m,)."""
    return Comparison(
        mean(generated, groups=groups, seed=seed),
        mean(real, groups=real_groups, seed=seed),
        ratio_of_independent_means(generated, real, groups=groups, reference_groups=real_groups, seed=seed),
    )


def bounds(interval: Interval) -> list[float]:
    """Return the ends of an interval."""
    return [interval.low, interval.high]


def value_and_interval(interval: Interval) -> Figures:
    """Return a figure as `value` and `interval`."""
    return {"value": interval.value, "interval": bounds(interval)}


def without_nan(content: object) -> object:
    """Return figures with None where a number is not finite, since JSON has no NaN."""
    if isinstance(content, float):
        return content if isfinite(content) else None
    if isinstance(content, Mapping):
        return {str(key): without_nan(value) for key, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [without_nan(value) for value in content]
    return content
