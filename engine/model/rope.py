"""Rotary position angles (Su et al. 2021, RoFormer, section 3.2) for absolute step positions of any size."""

import numpy as np

from tatumflow.engine.arrays import Floats


class RotaryAngles:
    """Cosines and sines of consecutive positions, computed into buffers that are reused.

    Angles are float64 and only the results float32, so that step 100,000 is as exact as step 0.
    """

    def __init__(self, head_dim: int, base: float, max_steps: int) -> None:
        """Allocate `max_steps` positions of heads `head_dim` wide with frequencies from `base`."""
        self._frequency = base ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
        half = head_dim // 2
        self._offset = np.arange(max_steps, dtype=np.float64)[:, None] * self._frequency
        self._angle = np.empty((max_steps, half), np.float64)
        self._first = np.empty(half, np.float64)
        self._cos = np.empty((max_steps, half), np.float32)
        self._sin = np.empty((max_steps, half), np.float32)

    def rows(self, first: int, steps: int) -> tuple[Floats, Floats]:
        """Return cosines and sines of positions `first` to `first + steps - 1`, each (steps, D / 2).

        Both are views that the next call overwrites.
        """
        np.multiply(self._frequency, first, out=self._first)
        angle, cos, sin = self._angle[:steps], self._cos[:steps], self._sin[:steps]
        np.add(self._offset[:steps], self._first, out=angle)
        np.cos(angle, out=cos, casting="same_kind", dtype=np.float64)
        np.sin(angle, out=sin, casting="same_kind", dtype=np.float64)
        return cos, sin
