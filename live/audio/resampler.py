"""Changing the rate of a signal that arrives in pieces."""

from functools import lru_cache
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from tatumflow.live.audio.monitor_path import SIDES

_QUALITY: Final = "LQ"
"""soxr's name for 16 bits: flat within 0.2 dB to 16 kHz between 44.1 and 48 kHz, and 10 ms there and back.
Better ones hold the signal for 40 ms and more."""

_PROBE: Final = 64
_PROBE_SECONDS: Final = 0.5


class Resampler:
    """Frames at one rate into frames at another; those of equal rates pass as they are.

    Frame k that comes out lies at the moment k / target of what went in: nothing is delayed, only held back.
    """

    def __init__(self, source: int, target: int) -> None:
        """Begin before the first frame, from `source` to `target` frames a second, each at least 1."""
        self._stream = (
            None if source == target else soxr.ResampleStream(source, target, SIDES, quality=_QUALITY)
        )

    def push(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take frames (n, 2) and return those that they complete, (m, 2)."""
        return self._push(frames, last=False)

    def finish(self, frames: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Take the last frames (n, 2) and return all that are left, (m, 2)."""
        none = np.zeros((0, SIDES), dtype=np.float32)
        return self._push(none if frames is None else frames, last=True)

    def _push(self, frames: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        if self._stream is None:
            return frames
        return self._stream.resample_chunk(np.ascontiguousarray(frames, dtype=np.float32), last=last)


@lru_cache(maxsize=32)
def held_back(source: int, target: int) -> float:
    """Return for how many seconds a `Resampler` holds a frame back at most, found by trying."""
    if source == target:
        return 0.0
    resampler, silence = Resampler(source, target), np.zeros((_PROBE, SIDES), dtype=np.float32)
    pushed = pulled = 0
    most = 0.0
    while pushed < _PROBE_SECONDS * source:
        pushed += _PROBE
        pulled += len(resampler.push(silence))
        most = max(most, pushed / source - pulled / target)
    return most
