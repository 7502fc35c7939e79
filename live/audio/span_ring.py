"""Frames by their number, from one thread to another, where some may be missing or come too late."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.live.audio.circle import put, take

_SPANS: Final = 4
"""Spans kept: older ones have been played long ago."""


class SpanRing:
    """The latest frames of a signal with holes; one thread writes spans of it, another reads.

    What is there is published as a whole and after the copying, so that no thread waits and no frame is read
    before it is written. The writer has to stay less than the capacity ahead of the reader.
    """

    def __init__(self, capacity: int, channels: int) -> None:
        """Begin with nothing; `capacity` is the frames from the oldest that is kept to the latest."""
        self._frames = np.zeros((capacity, channels), dtype=np.float32)
        self._spans: tuple[tuple[int, int], ...] = ()

    def write(self, first: int, frames: NDArray[np.float32]) -> None:
        """Write frames, (n, channels), n <= capacity; they extend the latest span where they follow it.

        `first` is the number of the first, not before the end of the latest span.
        """
        if not len(frames):
            return
        put(self._frames, first, frames)
        spans, end = self._spans, first + len(frames)
        if spans and spans[-1][1] == first:
            self._spans = (*spans[:-1], (spans[-1][0], end))
        else:
            self._spans = (*spans[1 - _SPANS :], (first, end))

    def ready(self, first: int) -> int:
        """Return how many frames there are from number `first` on, without a hole."""
        for start, end in self._spans:
            if start <= first < end:
                return end - first
        return 0

    def read(self, first: int, into: NDArray[np.float32]) -> None:
        """Fill (n, channels) with the frames from number `first` on, of which n must be ready."""
        take(self._frames, first, into)
