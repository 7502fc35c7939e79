"""The classifier of players by single melodies, which an exported model brings along."""

from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.melodies.bundle import PlayerShares
from tatumflow.engine.melodies.features import style_features
from tatumflow.engine.melodies.melody import Melody
from tatumflow.training.data.packing import style_slug
from tatumflow.training.melodies.data.windows import MelodyWindows
from tatumflow.training.melodies.export.attributes import FEWEST_MELODIES

MOST_PLAYERS: Final = 12
"""Most players among the classes: those with most melodies."""

_REGULARIZATION: Final = 0.1
_ITERATIONS: Final = 300


def player_shares(train: MelodyWindows, held_out: MelodyWindows) -> PlayerShares | None:
    """Return a classifier of the players with most melodies; None if fewer than two have enough.

    Every player counts alike, so that the chance of each is one over their number.

    Args:
        train: Melodies to fit.
        held_out: Melodies of other tunes, whose mean share of their own player is stated.
    """
    chosen = train.apart()
    owners = players_of(train, chosen)
    names, counts = np.unique(owners[owners != ""], return_counts=True)
    most = sorted(zip(-counts, names, strict=True))[:MOST_PLAYERS]
    players = sorted(str(name) for count, name in most if -count >= FEWEST_MELODIES)
    if len(players) < 2:
        return None
    known = np.isin(owners, players)
    scaler = StandardScaler()
    features = scaler.fit_transform(feature_rows(train.melodies(chosen[known])))
    classifier = LogisticRegression(C=_REGULARIZATION, class_weight="balanced", max_iter=_ITERATIONS)
    classifier.fit(features, owners[known])
    weight, bias = np.asarray(classifier.coef_), np.asarray(classifier.intercept_)
    mean, scale = np.asarray(scaler.mean_), np.asarray(scaler.scale_)
    if len(players) == 2:
        # The library fits the second of two classes against the first.
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    shares = PlayerShares(
        players=tuple(players),
        mean=_rounded(mean),
        scale=_rounded(np.where(scale > 0, scale, 1.0)),
        weight=tuple(_rounded(row) for row in weight),
        bias=_rounded(bias),
        real=(-1.0,) * len(players),
    )
    return shares.model_copy(update={"real": _own_shares(shares, held_out)})


def players_of(windows: MelodyWindows, numbers: Ints) -> np.ndarray:
    """Return the slugs of the players of melodies, (n,) of str."""
    slugs = np.array([style_slug(piece.player) for piece in windows.pieces], dtype=np.str_)
    return slugs[windows.piece[numbers]] if len(slugs) else np.zeros(len(numbers), np.str_)


def feature_rows(events: Ints) -> Floats:
    """Return the style features of melodies (n, steps)."""
    return np.stack([style_features(Melody(tuple(row))) for row in events.tolist()])


def _own_shares(shares: PlayerShares, held_out: MelodyWindows) -> tuple[float, ...]:
    chosen = held_out.apart()
    owners, rows = players_of(held_out, chosen), held_out.melodies(chosen)
    found = []
    for player in shares.players:
        own = [shares.of(Melody(tuple(row)))[player] for row in rows[owners == player].tolist()]
        found.append(round(float(np.mean(own)), 4) if own else -1.0)
    return tuple(found)


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
