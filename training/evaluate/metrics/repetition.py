"""How far a stretch repeats itself: what tells a stuck loop from music, which repeats too."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.metrics.onsets import skyline

FIGURE: Final = 8
"""Notes in a figure."""


def most_repeated_figure(notes: NDArray[np.void], length: int = FIGURE) -> int:
    """Return how often the commonest figure of so many successive skyline pitches is played, without overlap.

    1 if none comes twice, 0 if there are too few notes. One note repeated, or a trill, is a figure too.
    """
    line = skyline(notes).tolist()
    last: dict[tuple[int, ...], int] = {}
    counts: Counter[tuple[int, ...]] = Counter()
    for i in range(len(line) - length + 1):
        figure = tuple(line[i : i + length])
        if i >= last.get(figure, -length) + length:
            counts[figure] += 1
            last[figure] = i
    return max(counts.values(), default=0)


def longest_repeat(notes: NDArray[np.void]) -> int:
    """Return the length in notes of the longest run of skyline pitches that comes twice, without overlap."""
    line = skyline(notes)
    longest = 0
    for shift in range(1, len(line)):
        same = line[shift:] == line[:-shift]
        ends = np.flatnonzero(~same)
        runs = np.diff(np.concatenate([[-1], ends, [len(same)]])) - 1
        longest = max(longest, min(int(runs.max()), shift))
    return longest
