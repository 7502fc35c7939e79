"""Bebop vocabulary of the companion beside the player whom it imitates, and beside another player."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.wjazzd import CORPUS
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.bootstrap import Floats, Groups, mean, ratio_of_independent_means
from tatumflow.training.evaluate.classifiers.style_classifier import (
    choose_styles,
    cross_fitted,
    label_stretches,
    train_classifier,
)
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.parts.bebop_takes import HARMONIC, NAMES, MeasuredTake
from tatumflow.training.evaluate.primers import CONTINUATION_SECONDS, segments

PLAYER: Final = "charlie-parker"
"""Player who is imitated where the controls name none."""

CONTROL_PLAYERS: Final = ("john-coltrane", "charlie-parker")
"""Players for comparison: the first who is not imitated."""

TAKE_SECONDS: Final = 40.0
"""Longest take, and longest stretch of a real solo."""

_LEAST: Final = 1e-12


@dataclass(frozen=True)
class BebopSides:
    """The takes that are compared.

    Attributes:
        player: Slug of the player who is imitated.
        other: Slug of the player for comparison.
        companion: The companion's takes.
        real: The player's solos.
        control: The other player's solos.
        held_out: Tunes of the player's solos that the model was not trained on.
    """

    player: str
    other: str
    companion: Sequence[MeasuredTake]
    real: Sequence[MeasuredTake]
    control: Sequence[MeasuredTake]
    held_out: frozenset[str] = frozenset()


def control_player(player: str) -> str:
    """Return the slug of the player for comparison."""
    return next(other for other in CONTROL_PLAYERS if other != player)


def bebop_figures(sides: BebopSides, corpus: PackedCorpus | None = None, seed: int = 0) -> Figures:
    """Compare the companion's takes with the player's solos, and the other player's with them.

    Args:
        sides: The takes.
        corpus: Packed corpus with the Weimar solos, on which the style classifier is trained; None for none.
        seed: Seed of the resampling, by tune.

    Returns:
        `bebop`: `player`, `control_player`, `takes`, `solos`, `tunes` of the takes and `held_out` among them;
        `figures`, by name of `NAMES` the means `companion`, `held_out` (takes over held-out tunes alone),
        `player` and `control`, each with an `interval`, the `ratio` of companion to player with its interval,
        and where the figure depends on the chords `companion_shuffled` and `player_shuffled`, the means under
        shuffled chords; `distance`, of `companion` and of `control`: see `distance`; `classifier`: the
        shares that a classifier of Weimar's players gives to the player, see `classifier_figures`.
    """
    unseen = [take for take in sides.companion if take.tune in sides.held_out]
    rows: Figures = {}
    for name in NAMES:
        own, real = _column(sides.companion, name), _column(sides.real, name)
        groups = {"groups": _tunes(sides.companion), "reference_groups": _tunes(sides.real), "seed": seed}
        rows[name] = {
            "companion": _mean(sides.companion, own, seed),
            "held_out": _mean(unseen, _column(unseen, name), seed),
            "player": _mean(sides.real, real, seed),
            "control": _mean(sides.control, _column(sides.control, name), seed),
            "ratio": value_and_interval(ratio_of_independent_means(own, real, **groups)),
        }
        if name in HARMONIC:
            for key, takes in (("companion", sides.companion), ("player", sides.real)):
                wrong = np.array([take.shuffled[name] for take in takes])
                rows[name][f"{key}_shuffled"] = _mean(takes, wrong, seed)
    figures: Figures = {
        "player": sides.player,
        "control_player": sides.other,
        "takes": len(sides.companion),
        "solos": len(sides.real),
        "tunes": sorted(set(_tunes(sides.companion))),
        "held_out": sorted(sides.held_out),
        "figures": rows,
        "distance": {
            "companion": distance(sides.companion, sides.real),
            "control": distance(sides.control, sides.real),
        },
    }
    if corpus is not None:
        figures["classifier"] = classifier_figures(sides, corpus, seed)
    return {"bebop": figures}


def distance(takes: Sequence[MeasuredTake], real: Sequence[MeasuredTake]) -> float:
    """Return the mean distance of the takes' means from the player's, in his standard deviations.

    Over all figures of `NAMES` that both sides have.
    """
    with np.errstate(invalid="ignore"):
        differences = [
            abs(_known(_column(takes, name)).mean() - own.mean()) / own.std()
            for name in NAMES
            if len(own := _known(_column(real, name))) and own.std() > 0 and len(_known(_column(takes, name)))
        ]
    return float(np.mean(differences)) if differences else float("nan")


def classifier_figures(sides: BebopSides, corpus: PackedCorpus, seed: int = 0) -> Figures:
    """Return how often a classifier of the Weimar players takes a stretch for the player's.

    Stretches of 20 s; the classifier is trained on the training side of the Weimar solos alone, so that it
    compares horns with horns. Real stretches are judged by classifiers that did not see their piece.

    Returns:
        `companion`, `player` and `control`: the share of their stretches that are taken for the player's,
        with an `interval` by tune or piece, the mean `log_odds` of the other player against the player, which
        a blend of the two moves, and the number of `stretches`; `styles`, the number of players. Or
        `unavailable`, the reason, where the corpus has too little music.
    """
    index = corpus.index.model_copy(
        update={"pieces": tuple(piece for piece in corpus.index.pieces if piece.corpus == CORPUS)}
    )
    weimar = replace(corpus, index=index)
    styles = choose_styles(weimar, (sides.player, sides.other))
    if not {sides.player, sides.other} <= set(styles):
        return {"unavailable": f"the corpus has no training solos of {sides.player} and {sides.other}"}
    stretches = label_stretches(weimar, styles)
    try:
        classifier = train_classifier(stretches, styles)
    except CorpusError as error:
        return {"unavailable": str(error)}
    crossed = cross_fitted(stretches, styles, seed=seed)
    pair = classifier.index(sides.player), classifier.index(sides.other)
    cut = [
        (notes, take.tune) for take in sides.companion for notes in segments(take.notes, CONTINUATION_SECONDS)
    ]
    judged = classifier.probabilities([notes for notes, _ in cut])
    figures: Figures = {"companion": _judged(judged, [tune for _, tune in cut], pair, seed)}
    for key, column in zip(("player", "control"), pair, strict=True):
        own = (stretches.style == column) & np.isfinite(crossed[:, column])
        figures[key] = _judged(crossed[own], stretches.piece[own], pair, seed)
    return {**figures, "styles": len(styles)}


def _judged(probabilities: Floats, groups: Groups, pair: tuple[int, int], seed: int) -> Figures:
    """Return the figures of stretches by their probabilities (n, S), of which `pair` are two columns."""
    hits = (probabilities.argmax(axis=1) == pair[0]).astype(np.float64)
    logs = np.log(np.maximum(probabilities, _LEAST))
    return {
        **value_and_interval(mean(hits, groups=groups, seed=seed)),
        "log_odds": value_and_interval(mean(logs[:, pair[1]] - logs[:, pair[0]], groups=groups, seed=seed)),
        "stretches": len(hits),
    }


def _mean(takes: Sequence[MeasuredTake], values: Floats, seed: int) -> Figures:
    return value_and_interval(mean(values, groups=_tunes(takes), seed=seed))


def _column(takes: Sequence[MeasuredTake], name: str) -> Floats:
    return np.array([getattr(take.figures, name) for take in takes], dtype=np.float64)


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _tunes(takes: Sequence[MeasuredTake]) -> list[str]:
    return [take.tune for take in takes]
