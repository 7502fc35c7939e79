"""Figures and targets of an endurance test."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.soak.tally import Tally

NONE: Final = Target(max=0.0)
"""No note may hang, no off may be dropped, nothing may be raised."""

COST_GROWTH: Final = Target(max=1.1)
"""Cost of a note in the last tenth over that in the first."""

MEMORY_GROWTH: Final = Target(max=1.05)
"""Resident memory at the end over that at the start."""

_TENTH: Final = 10
_MEGABYTE: Final = 1e6


def soak_figures(tally: Tally, costs: Sequence[float], memory: Sequence[int]) -> list[Figure]:
    """Summarize a soak.

    Args:
        tally: What came out.
        costs: Median cost of a note in milliseconds, sampled evenly over the soak, (n,), n at least 1.
        memory: Resident bytes at the start and at the end.
    """
    tenth = max(len(costs) // _TENTH, 1)
    first, last = (float(np.median(part)) for part in (costs[:tenth], costs[-tenth:]))
    return [
        Figure.of("played", "notes", [tally.ons], Target()),
        Figure.of("hung", "notes", [len(tally.hanging)], NONE),
        Figure.of("dropped", "offs", [sum(tally.dropped.values())], NONE),
        Figure.of("first_tenth_note_cost", "ms", costs[:tenth], Target()),
        Figure.of("last_tenth_note_cost", "ms", costs[-tenth:], Target()),
        Figure.of("note_cost_growth", "ratio", [last / first], COST_GROWTH),
        Figure.of("memory", "MB", np.asarray(memory) / _MEGABYTE, Target()),
        Figure.of("memory_growth", "ratio", [memory[-1] / memory[0]], MEMORY_GROWTH),
    ]
