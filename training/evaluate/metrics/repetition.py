"""Repetition within a stretch, to find a stuck loop."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.metrics.onsets import skyline

FIGURE: Final = 8
"""Notes in a figure."""


def most_repeated_figure(notes: NDArray[np.void], length: int = FIGURE) -> int:
    """Return the count of the commonest figure of `length` successive skyline pitches, without overlap.

    1 if none is repeated, 0 if there are too few notes. One note repeated, or a trill, is a figure too.
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
    """Return the length in notes of the longest repeated run of skyline pitches, without overlap."""
    line = skyline(notes)
    longest = 0
    for shift in range(1, len(line)):
        same = line[shift:] == line[:-shift]
        ends = np.flatnonzero(~same)
        runs = np.diff(np.concatenate([[-1], ends, [len(same)]])) - 1
        longest = max(longest, min(int(runs.max()), shift))
    return longest
