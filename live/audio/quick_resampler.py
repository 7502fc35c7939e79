"""Changing the sample rate of a note tracker's input, with as little delay as can be."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CROSSINGS: Final = 16
"""Zeros of the sinc on each side: more make the filter steeper and hold the signal back longer."""

_BETA: Final = 8.0
"""Of the Kaiser window: 80 dB between what passes and what does not."""

_CUTOFF: Final = 0.42
"""Of the lower rate; the filter is 6 dB down there."""


class QuickResampler:
    """Samples at one rate into samples at another, held back for two milliseconds at most.

    A windowed sinc, with taps for each place between two samples (Smith and Gossett, "A flexible
    sampling-rate conversion method", ICASSP 1984). `Resampler` is purer, but holds what it makes slower
    back for 20 ms. Sample k that comes out lies at the moment k / target of what went in.
    """

    def __init__(self, source: int, target: int) -> None:
        """Begin before the first sample, from `source` to `target` samples a second, each at least 1."""
        divisor = math.gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        cutoff = _CUTOFF * min(source, target) / source
        self._half = 0 if source == target else math.ceil(_CROSSINGS / (2 * cutoff))
        """Samples on each side of a moment that it is made of."""
        if self._half:
            self._phases = _phases(self._up, cutoff, self._half)
        self._held = np.zeros(max(self._half - 1, 0), dtype=np.float32)
        self._first = -len(self._held)
        """Number of the first sample that is held."""
        self._next = 0
        """Number of the next sample that comes out."""

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples (n,) and return those that they complete, (m,)."""
        if not self._half:
            return samples
        self._held = np.concatenate([self._held, samples], dtype=np.float32)
        ready = self._first + len(self._held) - self._half
        end = max(-(-ready * self._up // self._down), self._next)
        # A sample between number n and the next is made of those from n - half + 1 to n + half.
        whole, phase = np.divmod(np.arange(self._next, end) * self._down, self._up)
        out = np.zeros(0, dtype=np.float32)
        if end > self._next:
            around = np.lib.stride_tricks.sliding_window_view(self._held, 2 * self._half)
            chosen = around[whole - self._half + 1 - self._first]
            out = np.einsum("mt,mt->m", chosen, self._phases[phase])
        self._next = end
        oldest = end * self._down // self._up - self._half + 1
        drop = min(max(oldest - self._first, 0), len(self._held))
        self._held = self._held[drop:]
        self._first += drop
        return out


def _phases(count: int, cutoff: float, half: int) -> NDArray[np.float32]:
    """Return the filter for each place between two samples, (count, 2 half), each of sum 1."""
    offsets = np.arange(1 - half, half + 1)
    distance = np.arange(count)[:, None] / count - offsets
    inside = np.clip(1 - np.square(distance / half), 0, None)
    taps = np.sinc(2 * cutoff * distance) * np.i0(_BETA * np.sqrt(inside))
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
