"""Parts of a recording: its stems and the rest, which sum to the mixture.

An array of shape (s + 1, 2, n), float32: the stems of a `StemSet` in its order, then the rest of the mixture,
zeros where there is none; left and right; n samples. The mixture is their sum by definition: no change of the
parts can make it inconsistent.
"""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Parts = NDArray[np.float32]

CHANNELS: Final = 2


class Recording(Protocol):
    """A recording in stems."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def rate(self) -> int:
        """Samples a second."""
        ...

    @property
    def length(self) -> int:
        """Samples."""
        ...

    def read(self, start: int, length: int) -> Parts:
        """Return `length` samples from `start` on as parts, zeros where they reach beyond the end.

        Raises:
            CorpusError: if it cannot be read.
        """
        ...


def mixture_of(parts: Parts) -> NDArray[np.float32]:
    """Return the mixture, (2, n)."""
    return parts.sum(axis=0)


def stems_of(parts: Parts) -> NDArray[np.float32]:
    """Return the stems alone, (s, 2, n)."""
    return parts[:-1]


def stereo(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return a file's samples, (n, channels), as (2, length): mono on both sides, zeros at the end."""
    sides = samples[:, :CHANNELS].T
    out = np.zeros((CHANNELS, length), dtype=np.float32)
    out[:, : sides.shape[-1]] = sides[:, :length]
    return out
