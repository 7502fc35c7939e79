"""Classifiers of two sets of stretches, with the importance of their features.

Two classifiers: gradient boosting on figures and histograms, and a small network on notes. Both are judged
on pieces that they were not trained on. Both sides are quantized to a transcriber's frames and to the
companion's grid of durations and velocities, so that neither grid gives a side away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from tatumflow.engine.model.tokens import (
    DURATION_TICKS,
    TICK_SECONDS,
    VELOCITIES,
    duration_index,
    to_ticks,
    velocity_index,
)
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.evaluate.bootstrap import COVERAGE, DRAWS, Floats, Interval

FRAME_SECONDS: Final = 0.032
"""Frame of PiJAMA's transcriber."""

FOLDS: Final = 5
"""Folds of the cross-validation, by piece."""

DEALS: Final = 3
"""Repetitions of the cross-validation with other folds; scores are averaged over them."""

PERMUTATIONS: Final = 3
"""Permutations of a feature in each fold for its importance."""

Notes = NDArray[np.void]


@dataclass(frozen=True)
class Importance:
    """Importance of a group of features to a classifier.

    Attributes:
        name: The group.
        drop: Fall of the AUC when the group is permuted among the held-out stretches.
        alone: AUC of its first feature by itself, over all stretches; above 0.5 where class 1 has more of it.
    """

    name: str
    drop: float
    alone: float


@dataclass(frozen=True)
class Discrimination:
    """Figures of a classifier of two sets.

    Attributes:
        auc: Area under the ROC curve of held-out stretches, of pairs within one fold, 95 % over pieces.
        importance: Groups of features, the most important first; empty where none was requested.
    """

    auc: Interval
    importance: tuple[Importance, ...] = ()


def snapped(notes: Notes) -> Notes:
    """Return notes on frames of `FRAME_SECONDS`, with durations and velocities of the companion's grid.

    Durations go to the companion's grid first, which is coarse above a second, and then to frames; at least
    one frame. An unknown velocity stays unknown. Notes of one frame are sorted by pitch.
    """
    result = notes.copy()
    onset = np.round(notes["onset"].astype(np.float64) / FRAME_SECONDS)
    lasting = DURATION_TICKS[duration_index(to_ticks(notes["duration"]))] * TICK_SECONDS
    result["onset"] = onset * FRAME_SECONDS
    result["duration"] = np.maximum(np.round(lasting / FRAME_SECONDS), 1) * FRAME_SECONDS
    known = notes["velocity"] != UNKNOWN_VELOCITY
    result["velocity"] = np.where(known, VELOCITIES[velocity_index(notes["velocity"])], UNKNOWN_VELOCITY)
    return result[np.lexsort((notes["pitch"], onset))]


def deal(groups: Sequence[str] | NDArray[np.str_], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each row, (n,), 0 to `folds` - 1: all rows of one group are in one fold.

    Raises:
        ValueError: if there are fewer groups than folds.
    """
    fold = np.zeros(len(groups), dtype=np.int64)
    split = GroupKFold(folds, shuffle=True, random_state=seed)
    for i, (_, left) in enumerate(split.split(np.zeros(len(groups)), groups=np.asarray(groups))):
        fold[left] = i
    return fold


def discriminate_features(
    groups_of_features: Mapping[str, Floats],
    label: NDArray[np.int64],
    pieces: Sequence[str],
    *,
    seed: int = 0,
    deals: int | None = None,
    permutations: int | None = None,
) -> Discrimination:
    """Classify rows as class 1 or 0 by gradient boosting, and measure it by cross-validation.

    Args:
        groups_of_features: By name, (n,) or (n, k); NaN is a value of its own.
        label: Class of each row, 0 or 1, (n,).
        pieces: Which piece each row comes from, (n,); no piece is on both sides of a fold.
        seed: Seed of folds, permutations and resampling.
        deals: Repetitions with other folds; `DEALS` when None.
        permutations: Permutations of each group in each fold, 0 for no importances; `PERMUTATIONS` when None.
    """
    deals = DEALS if deals is None else deals
    permutations = PERMUTATIONS if permutations is None else permutations
    columns = {name: np.asarray(part).reshape(len(label), -1) for name, part in groups_of_features.items()}
    table = np.concatenate(list(columns.values()), axis=1)
    ends = np.cumsum([part.shape[1] for part in columns.values()])
    slices = {name: slice(end - columns[name].shape[1], end) for name, end in zip(columns, ends, strict=True)}
    folds = min(FOLDS, len(set(pieces)))
    kernels: list[Floats] = []
    drops = dict.fromkeys(columns, 0.0)
    rng = np.random.default_rng((seed, 2))
    for repetition in range(deals):
        fold = deal(pieces, folds, seed * deals + repetition)
        score = np.zeros(len(label))
        permuted = {name: np.zeros((permutations, len(label))) for name in columns}
        for i in range(folds):
            held, known = np.flatnonzero(fold == i), np.flatnonzero(fold != i)
            if len(np.unique(label[known])) < 2:
                continue
            # With more threads than free cores, its short loops wait on each other for minutes.
            with threadpool_limits(1):
                model = _boosting(seed).fit(table[known], label[known])
                score[held] = model.decision_function(table[held])
                for name, rows in _permuted(model, table[held], slices, permutations, rng).items():
                    permuted[name][:, held] = rows
        kernels.append(pairs_won(score, label, fold))
        whole = float(np.nanmean(kernels[-1]))
        for name, scores in permuted.items():
            if permutations:
                worth = np.mean([np.nanmean(pairs_won(row, label, fold)) for row in scores])
                drops[name] += (whole - float(worth)) / deals
    ranked = [
        Importance(name, drops[name], area(columns[name][:, 0], label)) for name in columns if permutations
    ]
    ranked.sort(key=lambda row: -row.drop)
    return Discrimination(auc_interval(kernels, label, pieces, seed), tuple(ranked))


def discriminate_notes(
    stretches: Sequence[Notes],
    label: NDArray[np.int64],
    pieces: Sequence[str],
    *,
    seed: int = 0,
    deals: int = 1,
) -> Discrimination:
    """Classify stretches as class 1 or 0 by a small network on their notes, and measure it.

    Args:
        stretches: Notes by onset, (n,) of arrays.
        label: Class of each, 0 or 1, (n,).
        pieces: Which piece each comes from, (n,); no piece is on both sides of a fold.
        seed: Seed of folds, of the network and of resampling.
        deals: Repetitions with other folds.
    """
    from tatumflow.training.evaluate.classifiers.note_network import encoded, trained_scores

    rows = [encoded(notes) for notes in stretches]
    folds = min(FOLDS, len(set(pieces)))
    kernels: list[Floats] = []
    for repetition in range(deals):
        fold = deal(pieces, folds, seed * deals + repetition)
        score = np.zeros(len(label))
        for i in range(folds):
            held, known = np.flatnonzero(fold == i), np.flatnonzero(fold != i)
            if len(np.unique(label[known])) < 2:
                continue
            train = [rows[k] for k in known]
            score[held] = trained_scores(train, label[known], [rows[k] for k in held], seed + i)
        kernels.append(pairs_won(score, label, fold))
    return Discrimination(auc_interval(kernels, label, pieces, seed))


def area(values: Floats, label: NDArray[np.int64]) -> float:
    """Return the area under the ROC curve of values, ties counting half; NaN where a class is empty."""
    kernel = pairs_won(np.nan_to_num(values), label, np.zeros(len(label), dtype=np.int64))
    return float(np.nanmean(kernel)) if np.isfinite(kernel).any() else float("nan")


def pairs_won(score: Floats, label: NDArray[np.int64], fold: NDArray[np.int64]) -> Floats:
    """Return whether each row of class 1 scores higher than each of class 0, (n1, n0); ties are a half.

    Pairs of two folds are NaN: their scores come from two classifiers.
    """
    ones, zeros = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    lead = score[ones][:, None] - score[zeros][None]
    won = (lead > 0) + 0.5 * (lead == 0)
    return np.where(fold[ones][:, None] == fold[zeros][None], won, np.nan)


def auc_interval(
    kernels: Sequence[Floats], label: NDArray[np.int64], pieces: Sequence[str], seed: int = 0
) -> Interval:
    """Return the AUC with its interval over resampled pieces.

    `kernels` are results of `pairs_won` of each repetition, (n1, n0); `label` and `piece` belong to rows,
    (n,).
    """
    stacked = np.array(kernels)
    known = np.isfinite(stacked).sum(axis=0).astype(np.float64)
    won = np.nan_to_num(stacked).sum(axis=0)
    names, index = np.unique(np.asarray(pieces), return_inverse=True)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS).astype(np.float64)
    weights = np.concatenate([np.ones((1, len(names))), weights])
    ones, zeros = weights[:, index[label == 1]], weights[:, index[label == 0]]
    above, below = (np.einsum("di,ij,dj->d", ones, part, zeros, optimize=True) for part in (won, known))
    drawn = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    finite = drawn[1:][np.isfinite(drawn[1:])]
    if not len(finite):
        return Interval(float(drawn[0]), float("nan"), float("nan"))
    low, high = np.quantile(finite, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(drawn[0]), float(low), float(high))


def _permuted(
    model: HistGradientBoostingClassifier,
    rows: Floats,
    slices: Mapping[str, slice],
    count: int,
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Return scores of rows (s, k) whose groups are permuted among them, one group at a time, (count, s)."""
    if not count:
        return {}
    tables: list[Floats] = []
    for part in slices.values():
        for _ in range(count):
            other = rows.copy()
            other[:, part] = other[rng.permutation(len(rows)), part]
            tables.append(other)
    scores = model.decision_function(np.concatenate(tables)).reshape(len(slices), count, len(rows))
    return dict(zip(slices, scores, strict=True))


def _boosting(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=80,
        max_leaf_nodes=8,
        min_samples_leaf=5,
        l2_regularization=1.0,
        max_features=0.3,
        early_stopping=False,  # pyright: ignore[reportArgumentType]
        random_state=seed,
    )
