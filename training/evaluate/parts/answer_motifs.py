"""What a reply takes up from its call: cells of contour and rhythm, exact and varied.

Beside it what the player's own next phrase takes up, and, since some cells are common to all music, what the
same replies share with other calls.
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

TAKEN_UP: Final[Mapping[str, Callable[[Notes, Notes], float]]] = MappingProxyType(
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
    """Compare what replies take up from their calls with what the player's next phrases do.

    Args:
        calls: The calls.
        replies: Under each setting the companion's reply to each call.
        seed: Seed of the shuffle and of the resampling.

    Returns:
        By figure of `TAKEN_UP` and setting, `real` for the player's next phrases among them: `own`, the share
        that comes from the own call, `other`, from another call of the corpus, `difference`, own less other,
        and `ratio`, own over that of the real phrases, each a `value` with its `interval` over pieces.
    """
    others = _others(calls, seed)
    pieces = [call.piece for call in calls]
    figures: Figures = {}
    for name, measure in TAKEN_UP.items():
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
