"""Rolls with a span of steps hidden, as a model fills it."""

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.roll import HELD, SILENT, Roll


def hide(roll: Roll, start: int, stop: int) -> tuple[Roll, NDArray[np.bool_]]:
    """Return a roll without the notes that begin in steps `start` to `stop`, and which cells stay known.

    Notes that begin before the span stay, with what they hold in it; those that begin in it end at its
    border at the latest.

    Returns:
        The roll, its hidden cells silent, and the known cells, (128, W) bool.
    """
    state, velocity = roll.state.copy(), roll.velocity.copy()
    known = np.ones(state.shape, np.bool_)
    known[:, start:stop] = False
    if start > 0:
        going = state[:, start - 1] != SILENT
        for step in range(start, min(stop, roll.width)):
            going &= state[:, step] == HELD
            known[going, step] = True
    else:
        going = np.zeros(len(state), np.bool_)
    for step in range(stop, roll.width):
        # What is held here without having come through the span began in it.
        begun = (state[:, step] == HELD) & (state[:, step - 1] == SILENT if step > stop else ~going)
        state[begun, step] = SILENT
    state[~known], velocity[~known] = SILENT, 0
    return Roll(state, velocity), known
