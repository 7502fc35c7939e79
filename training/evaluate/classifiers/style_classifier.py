"""A classifier of players: logistic regression on features of real stretches.

It judges whether a model sounds like the requested player; its own accuracy is measured on held-out pieces.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus, style_slug
from tatumflow.training.evaluate.bootstrap import Floats, mean
from tatumflow.training.evaluate.classifiers.style_features import style_features
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.primers import CONTINUATION_SECONDS, Notes, segments

MOST_STYLES: Final = 40
"""Most players of each corpus among the classes: those with most music."""

FEWEST_SECONDS: Final = 600.0
"""Least seconds of training music of a player among the classes."""

FOLDS: Final = 4
"""Folds of the cross-fitting: each piece is judged by a classifier trained without it."""

_REGULARIZATION: Final = 0.01
_ITERATIONS: Final = 100
_TOLERANCE: Final = 1e-3
_TOP: Final = 5


@dataclass(frozen=True)
class LabelledStretches:
    """Stretches of known players.

    Attributes:
        features: (n, k) float32.
        style: Index of each stretch's player among the styles, (n,).
        piece: The piece of each, (n,).
        held_out: Whether the piece is on the validation side, (n,).
    """

    features: NDArray[np.float32]
    style: NDArray[np.int64]
    piece: NDArray[np.str_]
    held_out: NDArray[np.bool_]


@dataclass(frozen=True)
class StyleClassifier:
    """A trained classifier.

    Attributes:
        styles: Slugs of the players, its classes, sorted.
        seconds: Length of the stretches that it reads.
    """

    styles: tuple[str, ...]
    seconds: float
    _model: Pipeline

    def probabilities(self, stretches: Sequence[Notes]) -> Floats:
        """Return the probability of each style, (n, S), of stretches of `seconds`; 0 without notes."""
        result = np.zeros((len(stretches), len(self.styles)))
        played = [i for i, notes in enumerate(stretches) if len(notes)]
        if played:
            features = [style_features(stretches[i], self.seconds) for i in played]
            result[played] = self._of(np.array(features, dtype=np.float32))
        return result

    def index(self, style: str) -> int:
        """Return the column of a style.

        Raises:
            ValueError: if it is none of the classes.
        """
        return self.styles.index(style)

    def _of(self, features: NDArray[np.float32]) -> Floats:
        return _all_columns(self._model, features, len(self.styles))


def choose_styles(
    corpus: PackedCorpus,
    always: Sequence[str] = (),
    *,
    most: int = MOST_STYLES,
    fewest_seconds: float = FEWEST_SECONDS,
) -> tuple[str, ...]:
    """Choose the classes: the players of each corpus with most training music.

    Of each corpus, so that horn players are compared with horn players and not with pianists alone.

    Args:
        corpus: The packed corpus.
        always: Slugs of players that are chosen with any training music at all.
        most: Most players of each corpus.
        fewest_seconds: Least seconds of training music of all others.

    Returns:
        Slugs, sorted.
    """
    seconds: dict[str, Counter[str]] = {}
    for piece in corpus.played("train"):
        player = style_slug(piece.player)
        if player:
            last = float(corpus.notes(piece)["onset"][-1])
            seconds.setdefault(piece.corpus, Counter())[player] += last  # pyright: ignore[reportArgumentType]
    chosen = {
        player
        for players in seconds.values()
        for player, length in players.most_common(most)
        if length >= fewest_seconds
    }
    present = {player for players in seconds.values() for player in players}
    return tuple(sorted(chosen | (present & set(always))))


def label_stretches(
    corpus: PackedCorpus, styles: Sequence[str], seconds: float = CONTINUATION_SECONDS
) -> LabelledStretches:
    """Cut the pieces of players, of both sides of the split, into stretches and return their features."""
    rank = {style: i for i, style in enumerate(styles)}
    rows: list[Floats] = []
    style: list[int] = []
    names: list[str] = []
    held_out: list[bool] = []
    sides: tuple[Split, ...] = ("train", "val")
    for side in sides:
        for piece in corpus.played(side):
            player = style_slug(piece.player)
            if player not in rank:
                continue
            for stretch in segments(corpus.notes(piece), seconds):
                rows.append(style_features(stretch, seconds))
                style.append(rank[player])
                names.append(f"{piece.corpus}/{piece.name}")
                held_out.append(side == "val")
    return LabelledStretches(
        np.array(rows, dtype=np.float32), np.array(style), np.array(names), np.array(held_out, dtype=np.bool_)
    )


def train_classifier(
    stretches: LabelledStretches, styles: Sequence[str], seconds: float = CONTINUATION_SECONDS
) -> StyleClassifier:
    """Train on the stretches that are not held out.

    Raises:
        CorpusError: if they are of fewer than two players.
    """
    known = ~stretches.held_out
    if len(np.unique(stretches.style[known])) < 2:
        raise CorpusError("the corpus has too little music of at least two players to classify styles")
    return StyleClassifier(tuple(styles), seconds, _fitted(stretches.features[known], stretches.style[known]))


def cross_fitted(
    stretches: LabelledStretches, styles: Sequence[str], folds: int = FOLDS, seed: int = 0
) -> Floats:
    """Return the probability of each style, (n, S), by classifiers trained without the stretch's piece.

    Pieces of both sides of the split are dealt into folds; NaN where there are fewer pieces than folds.
    """
    result = np.full((len(stretches.style), len(styles)), np.nan)
    pieces = len(np.unique(stretches.piece))
    if pieces < folds:
        return result
    deal = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for kept, left in deal.split(stretches.features, stretches.style, stretches.piece):
        if len(np.unique(stretches.style[kept])) > 1:
            model = _fitted(stretches.features[kept], stretches.style[kept])
            result[left] = _all_columns(model, stretches.features[left], len(styles))
    return result


def held_out_accuracy(classifier: StyleClassifier, stretches: LabelledStretches, seed: int = 0) -> Figures:
    """Return the accuracy of the classifier on the validation side.

    Returns:
        `top1` and `top5` by stretch and `piece_top1` and `piece_top5` by piece, whose stretches' log
        probabilities are added, each with its `interval` over pieces; `majority`, the share of the
        stretches of the commonest player of the training side; and the counts `styles`, `train_stretches`,
        `held_out_stretches` and `held_out_pieces`.
    """
    chosen = stretches.held_out
    style, piece = stretches.style[chosen], stretches.piece[chosen]
    commonest = int(np.bincount(stretches.style[~chosen]).argmax())
    figures: Figures = {
        "styles": len(classifier.styles),
        "train_stretches": int((~chosen).sum()),
        "held_out_stretches": len(style),
        "held_out_pieces": len(np.unique(piece)),
        "majority": float((style == commonest).mean()) if len(style) else float("nan"),
    }
    if not len(style):
        return figures
    logs = np.log(np.maximum(classifier._of(stretches.features[chosen]), 1e-12))
    names, first, index = np.unique(piece, return_index=True, return_inverse=True)
    together = np.zeros((len(names), logs.shape[1]))
    np.add.at(together, index, logs)
    for name, scores, true, groups in (
        ("", logs, style, piece),
        ("piece_", together, style[first], names),
    ):
        rank = (scores > scores[np.arange(len(true)), true][:, None]).sum(axis=1)
        for top in (1, _TOP):
            figures[f"{name}top{top}"] = value_and_interval(mean(rank < top, groups=groups, seed=seed))
    return figures


def _fitted(features: NDArray[np.float32], style: NDArray[np.int64]) -> Pipeline:
    regression = LogisticRegression(C=_REGULARIZATION, max_iter=_ITERATIONS, tol=_TOLERANCE)
    return make_pipeline(StandardScaler(), regression).fit(features, style)


def _all_columns(model: Pipeline, features: NDArray[np.float32], styles: int) -> Floats:
    """Return probabilities (n, S), with 0 for styles that the model was not trained on."""
    result = np.zeros((len(features), styles))
    result[:, model.classes_] = model.predict_proba(features)
    return result
