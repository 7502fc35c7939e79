"""Confidence intervals by the percentile bootstrap.

Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13. Resampling draws the independent
unit, the piece or the primer, never the note: notes of one piece resemble each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS: Final = 1000
"""Bootstrap samples."""

COVERAGE: Final = 0.95
"""Share of the resampled figures that an interval holds."""

Floats = NDArray[np.float64]
Groups = Sequence[object] | NDArray[np.generic]


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval over resampled units; NaN without data."""

    value: float
    low: float
    high: float


UNDEFINED: Final = Interval(nan, nan, nan)
"""The figure of an empty set."""


def bootstrap(
    rows: ArrayLike,
    statistic: Callable[[Floats], Floats],
    *,
    groups: Groups | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    coverage: float = COVERAGE,
) -> Interval:
    """Return a statistic of sums over units, with its percentile interval.

    Args:
        rows: Summands of each unit, (n, ...) float64.
        statistic: Figures (d,) from d sums of rows (d, ...).
        groups: The unit of each row, such as its piece, (n,); each row is one when None.
        seed: Seed of the resampling. The same seed and count draw the same units: figures of one set agree.
        draws: Bootstrap samples.
        coverage: Share of the resampled figures that the interval holds, above 0 and below 1.
    """
    return _interval(_drawn(rows, statistic, groups, seed, draws), coverage)


def _drawn(
    rows: ArrayLike,
    statistic: Callable[[Floats], Floats],
    groups: Groups | None,
    seed: int | Sequence[int],
    draws: int,
) -> Floats:
    """Return the statistic of the units, then of each bootstrap sample, (draws + 1,); empty without units."""
    table = np.asarray(rows, dtype=np.float64)
    if groups is not None:
        table = grouped(table, groups)
    if not len(table):
        return np.zeros(0)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=draws)
    return statistic(np.concatenate([table.sum(axis=0)[None], np.tensordot(weights, table, axes=1)]))


def _interval(figures: Floats, coverage: float = COVERAGE) -> Interval:
    """Return the first figure with the interval of the rest."""
    if not len(figures):
        return UNDEFINED
    drawn = figures[1:][np.isfinite(figures[1:])]
    if not len(drawn):
        return Interval(float(figures[0]), nan, nan)
    low, high = np.quantile(drawn, [(1 - coverage) / 2, (1 + coverage) / 2])
    return Interval(float(figures[0]), float(low), float(high))


def grouped(rows: NDArray[np.float64], groups: Sequence[object] | NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the sums of the rows of each group, (g, ...), in the order of the groups' names."""
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(sums, index, rows)
    return sums


def ratio(sums: Floats) -> Floats:
    """Return the first column over the second; NaN where that is 0."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), nan), where=sums[:, 1] != 0)


def mean(values: ArrayLike, *, groups: Groups | None = None, seed: int = 0) -> Interval:
    """Return the mean of values (n,) with its interval; NaN among them is left out."""
    known = np.asarray(values, dtype=np.float64)
    return bootstrap(_counted(known), ratio, groups=groups, seed=seed)


def median(values: ArrayLike, *, groups: Groups | None = None, seed: int = 0) -> Interval:
    """Return the median of values (n,) with its interval; NaN among them is left out."""
    table = np.asarray(values, dtype=np.float64)
    known = np.isfinite(table)
    if not known.any():
        return UNDEFINED
    units = np.arange(len(table)) if groups is None else np.asarray(groups)
    order = np.argsort(table[known], kind="stable")
    ordered = table[known][order]
    names, unit = np.unique(units[known], return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=DRAWS
    )
    times = np.concatenate([np.ones((1, len(names)), dtype=np.int64), drawn])[:, unit[order]]
    passed = 2 * np.cumsum(times, axis=1)
    whole = passed[:, -1:] // 2
    lower, upper = (ordered[side.argmax(axis=1)] for side in (passed >= whole, passed > whole))
    return _interval((lower + upper) / 2)


def ratio_of_means(
    values: ArrayLike,
    references: ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
) -> Interval:
    """Return the mean of values over that of their references, both (n,); pairs with a NaN are left out."""
    pairs = _paired(values, references)
    return bootstrap(pairs, ratio, groups=groups, seed=seed)


def paired_difference(
    values: ArrayLike,
    references: ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
) -> Interval:
    """Return the mean of values less their references, both (n,); pairs with a NaN are left out."""
    pairs = np.asarray(values, dtype=np.float64) - np.asarray(references, dtype=np.float64)
    return mean(pairs, groups=groups, seed=seed)


def ratio_of_independent_means(
    values: ArrayLike,
    references: ArrayLike,
    *,
    groups: Groups | None = None,
    reference_groups: Groups | None = None,
    seed: int = 0,
) -> Interval:
    """Return the mean of values (n,) over that of unpaired references (m,), each side resampled by itself."""
    over, under = (
        _drawn(_counted(np.asarray(side, dtype=np.float64)), ratio, of, (seed, i), DRAWS)
        for i, (side, of) in enumerate(((values, groups), (references, reference_groups)))
    )
    if not len(over) or not len(under):
        return UNDEFINED
    return _interval(np.divide(over, under, out=np.full(len(over), nan), where=under != 0))


def _counted(values: Floats) -> Floats:
    known = np.isfinite(values)
    return np.stack([np.where(known, values, 0.0), known.astype(np.float64)], axis=1)


def _paired(values: ArrayLike, references: ArrayLike) -> Floats:
    pairs = np.stack([np.asarray(values, dtype=np.float64), np.asarray(references, dtype=np.float64)], axis=1)
    return np.where(np.isfinite(pairs).all(axis=1, keepdims=True), pairs, 0.0)
