"""A fixed window of recent figures, with percentiles on demand."""

import numpy as np


class Ring:
    """The last `size` values of one figure, preallocated: adding one neither allocates nor locks."""

    def __init__(self, size: int = 1000) -> None:
        self._values = np.zeros(size)
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, len(self._values))

    def add(self, value: float) -> None:
        """Keep `value`, dropping the oldest when full."""
        self._values[self._count % len(self._values)] = value
        self._count += 1

    def percentile(self, percent: float) -> float:
        """Return a percentile (0 to 100) of the kept values, 0.0 while there are none."""
        return float(np.percentile(self._values[: len(self)], percent)) if self._count else 0.0
