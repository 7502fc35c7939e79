"""A queue of frames from one thread to another, without a lock."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tatumflow.live.audio.circle import put, take


class FrameRing:
    """Frames in the order they came, between one thread that pushes and one that pulls.

    Each side moves an index of its own, after the copying, so that no thread waits and none sees half
    a frame. Both indices only grow. Nothing is allocated after construction.
    """

    def __init__(self, capacity: int, channels: int, dtype: type[np.floating[Any]] = np.float32) -> None:
        """Begin empty, with room for `capacity` frames, at least 1, of so many channels."""
        self._frames = np.zeros((capacity, channels), dtype=dtype)
        self._pushed = 0
        self._pulled = 0

    @property
    def filled(self) -> int:
        """Frames that wait."""
        return self._pushed - self._pulled

    @property
    def free(self) -> int:
        """Frames that fit."""
        return len(self._frames) - self.filled

    def push(self, frames: NDArray[Any]) -> int:
        """Append the first of the frames, (n, channels), as many as fit, and return how many."""
        count = min(len(frames), self.free)
        put(self._frames, self._pushed, frames[:count])
        self._pushed += count
        return count

    def pull(self, into: NDArray[Any]) -> int:
        """Take the oldest frames into `into`, (n, channels), those that fit; return how many."""
        count = min(len(into), self.filled)
        take(self._frames, self._pulled, into[:count])
        self._pulled += count
        return count

    def skip(self, count: int) -> None:
        """Drop the oldest frames, at most as many as wait."""
        self._pulled += min(count, self.filled)
