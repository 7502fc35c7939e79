"""Motifs that a reply shares with its call: cells of contour and rhythm, exact and varied.

Compared with those that the player's own next phrase shares with the call, and, since some cells are common
to all music, with those that the same replies share with other calls.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.bootstrap import mean, paired_difference, ratio_of_means
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.metrics import motif
from tatumflow.training.evaluate.parts.answer_relevance import Call

Notes = NDArray[np.void]

SHARED: Final[Mapping[str, Callable[[Notes, Notes], float]]] = MappingProxyType(
    {
        "steps": lambda reply, call: motif.returned_share(motif.steps(reply), motif.steps(call)),
        "contours": lambda reply, call: motif.returned_share(motif.contour(reply), motif.contour(call)),
        "rhythms": lambda reply, call: motif.returned_share(
            motif.ratio_classes(reply), motif.ratio_classes(call), motif.CELL + 1
        ),
        "likeness": motif.likeness_to,
    }
)
"""Shares of a reply's cells that its call has; `likeness` counts varied figures. See `metrics/motif.py`."""


def answer_motif_figures(
    calls: Sequence[Call], replies: Mapping[str, Sequence[Notes]], seed: int = 0
) -> Figures:
    """Compare replies with the player's next phrases by the motifs that they share with the calls.

    Args:
        calls: The calls.
        replies: The companion's reply to each call, by setting.
        seed: Seed of the shuffle and of the resampling.

    Returns:
        By figure of `SHARED` and setting, `real` for the player's next phrases among them: `own`, the share
        with the own call, `other`, with another call of the corpus, `difference`, own less other,
        and `ratio`, own over that of the real phrases, each a `value` with its `interval` over pieces.
    """
    others = _others(calls, seed)
    pieces = [call.piece for call in calls]
    figures: Figures = {}
    for name, measure in SHARED.items():
        real = np.array([measure(call.following, call.notes) for call in calls])
        rows: Figures = {}
        for setting, played in {"real": [call.following for call in calls], **replies}.items():
            own = np.array([measure(reply, call.notes) for reply, call in zip(played, calls, strict=True)])
            other = np.array(
                [measure(reply, calls[i].notes) for reply, i in zip(played, others, strict=True)]
            )
            rows[setting] = {
                "own": value_and_interval(mean(own, groups=pieces, seed=seed)),
                "other": value_and_interval(mean(other, groups=pieces, seed=seed)),
                "difference": value_and_interval(paired_difference(own, other, groups=pieces, seed=seed)),
                "ratio": value_and_interval(ratio_of_means(own, real, groups=pieces, seed=seed)),
            }
        figures[name] = rows
    return figures


def _others(calls: Sequence[Call], seed: int) -> list[int]:
    """Return for each call the index of one of another piece of its corpus; its own where there is none."""
    rng = np.random.default_rng((seed, 3))
    chosen: list[int] = []
    for i, call in enumerate(calls):
        known = [j for j, c in enumerate(calls) if c.corpus == call.corpus and c.piece != call.piece]
        chosen.append(int(rng.choice(known)) if known else i)
    return chosen
