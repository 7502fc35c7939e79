"""Whether a melody moved along a player's attribute resembles that player, and what is left of it."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.melodies.bundle import PlayerShares
from tatumflow.engine.melodies.features import distance
from tatumflow.engine.melodies.melody import Melody
from tatumflow.training.evaluate.bootstrap import mean
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.melodies.data.windows import MelodyWindows
from tatumflow.training.melodies.evaluation.autoencoder import Autoencoder
from tatumflow.training.melodies.export.shares import players_of

_MOST: Final = 64


def arithmetic(
    model: Autoencoder,
    windows: MelodyWindows,
    attributes: Mapping[str, NDArray[np.float64]],
    shares: PlayerShares,
    strength: float = 1.0,
    seed: int = 0,
) -> Figures:
    """Return figures of held-out melodies moved from their own player to each other one.

    Args:
        model: The model.
        windows: The melodies.
        attributes: Attribute vectors by name.
        shares: The classifier of players.
        strength: Share of the attributes' vectors.
        seed: Seed of the resampling.

    Returns:
        The mean share of the requested player by the classifier: `share_before` of the melodies themselves,
        `share_decoded` of their reconstructions, `share_moved`, and `share_real` of real melodies of that
        player, beside `share_chance`; then the distance from the melody: `distance_decoded` and
        `distance_moved`. Players without held-out melodies are left out.
    """
    chosen = windows.apart()
    owners = players_of(windows, chosen)
    players = [p for p in shares.players if p in attributes and np.count_nonzero(owners == p)]
    rows: dict[str, list[float]] = {name: [] for name in _NAMES}
    real: list[float] = []
    for player in players:
        place = shares.players.index(player)
        others = chosen[np.isin(owners, players) & (owners != player)]
        others = others[:: max(len(others) // _MOST, 1)][:_MOST]
        if not len(others):
            continue
        events = windows.melodies(others)
        latents = model.encode(events)
        away = np.stack([attributes[name] for name in players_of(windows, others).tolist()])
        moved = model.decode((latents + strength * (attributes[player] - away)).astype(np.float32))
        decoded = model.decode(latents)
        for name, values in zip(
            _NAMES,
            (
                *(_share(shares, side, player) for side in (events, decoded, moved)),
                distance(decoded, events),
                distance(moved, events),
            ),
            strict=True,
        ):
            rows[name] += values.tolist()
        real.append(shares.real[place])
    figures: Figures = {name: value_and_interval(mean(values, seed=seed)) for name, values in rows.items()}
    return {
        "players": ", ".join(players),
        **figures,
        "share_real": float(np.mean(real)) if real else float("nan"),
        "share_chance": 1 / len(shares.players),
    }


_NAMES: Final = ("share_before", "share_decoded", "share_moved", "distance_decoded", "distance_moved")


def _share(shares: PlayerShares, events: NDArray[np.int64], player: str) -> NDArray[np.float64]:
    return np.array([shares.of(Melody(tuple(row)))[player] for row in events.tolist()])
