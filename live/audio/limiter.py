"""Keeping a mix within full scale without the crackle of clipping."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_KNEE: Final = 0.8
"""Up to here nothing changes."""


def soft_limit(frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Return frames, (n, 2), bent above the knee so that none exceeds 1, and how many were bent.

    The bend begins with slope 1.
    """
    size = np.abs(frames)
    loud = size > _KNEE
    if not loud.any():
        return frames, 0
    room = 1 - _KNEE
    bent = np.copysign(_KNEE + room * np.tanh((size - _KNEE) / room), frames)
    return np.where(loud, bent, frames).astype(np.float32), int(np.count_nonzero(loud.any(axis=1)))
