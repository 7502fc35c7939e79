"""Clock times of the samples of a stream."""

from collections import deque
from typing import Final

_KEPT_SECONDS: Final = 10.0


class Timeline:
    """Clock times of the last seconds of samples.

    Each block has the time of its first sample; within it time follows the sample rate, so that a device
    whose clock runs fast or slow is followed.
    """

    def __init__(self, rate: int) -> None:
        """Begin before the first sample, at `rate` hertz."""
        self._rate = rate
        self._count = 0
        self._blocks: deque[tuple[int, float]] = deque()

    @property
    def count(self) -> int:
        """Number of samples so far."""
        return self._count

    @property
    def end(self) -> float | None:
        """Clock seconds at which the next sample is expected; None before the first."""
        return self.at(self._count / self._rate) if self._blocks else None

    def add(self, samples: int, time: float) -> None:
        """Add a block of `samples` samples whose first is at `time` seconds."""
        if not samples:
            return
        self._blocks.append((self._count, time))
        self._count += samples
        oldest = self._count - _KEPT_SECONDS * self._rate
        while len(self._blocks) > 1 and self._blocks[1][0] < oldest:
            self._blocks.popleft()

    def at(self, seconds: float) -> float:
        """Return the clock time of a time in seconds since the stream's first sample."""
        sample = seconds * self._rate
        start, time = next((block for block in reversed(self._blocks) if block[0] <= sample), self._blocks[0])
        return time + (sample - start) / self._rate
