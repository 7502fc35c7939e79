"""Pictures of rolls."""

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.engine.rolls.roll import HELD, ONSET, Roll

_SCALE = 4
_FAINT = 0.3


def roll_image(roll: Roll, known: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Return a picture of the piano's keys in a roll, (3, height, width), 0 to 1, high notes on top.

    Onsets are bright and held cells darker; where not all cells are known, the ground is blue.
    """
    keys = slice(PITCH_LOWEST, PITCH_HIGHEST + 1)
    level = (roll.state == ONSET) + 0.5 * (roll.state == HELD)
    picture = np.repeat(level[None, keys], 3, axis=0).astype(np.float32)
    if known is not None:
        picture[2] = np.maximum(picture[2], _FAINT * ~known[keys])
    return np.flip(picture, axis=1).repeat(_SCALE, axis=1).repeat(_SCALE, axis=2)
