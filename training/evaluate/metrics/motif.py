"""Motifs: repeated cells of the top line, by contour and by rhythm, exact and varied.

A cell is a few successive steps of the top line. Real solos state a cell and come back to it; random lines do
not.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import onset_times, skyline

CELL: Final = 3
"""Steps in a cell: four notes."""

FIGURE_STEPS: Final = 6
"""Steps in a figure that may return varied."""

LEEWAY: Final = 1
"""Largest difference in semitones of a step in a varied figure."""

RATIO_EDGES: Final = np.log2(np.array([0.29, 0.42, 0.6, 0.84, 1.19, 1.68, 2.4, 3.4]))
"""Edges of the classes of the ratio of an inter-onset interval to the one before: about 1/4, 1/3, 1/2, 3/4,
1, 4/3, 2, 3 and 4 times."""

_SHORTEST: Final = 1e-3


def steps(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the steps of the top line in semitones, (m - 1,)."""
    return np.diff(skyline(notes))


def contour(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the class of each step of the top line, (m - 1,).

    0 repeats; 1 to 4 rise by one or two semitones, three or four, five to seven, more; negative ones fall.
    """
    step = steps(notes)
    return np.sign(step) * np.searchsorted([1, 3, 5, 8], np.abs(step), side="right")


def ratio_classes(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the class of the ratio of each inter-onset interval to the one before, (m - 2,), 0 to 8."""
    interval = np.log2(np.maximum(np.diff(onset_times(notes)), _SHORTEST))
    return np.searchsorted(RATIO_EDGES, np.diff(interval)).astype(np.int64)


def cells(values: Sequence[Hashable] | NDArray[np.int64], length: int = CELL) -> list[tuple[Hashable, ...]]:
    """Return the runs of `length` successive values, in order."""
    row = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return [tuple(row[i : i + length]) for i in range(len(row) - length + 1)]


def repeated_share(values: Sequence[Hashable] | NDArray[np.int64], length: int = CELL) -> float:
    """Return the share of cells that are played more than once; NaN of none."""
    found = cells(values, length)
    counts = Counter(found)
    return sum(count for count in counts.values() if count > 1) / len(found) if found else float("nan")


def returned_share(
    values: Sequence[Hashable] | NDArray[np.int64],
    source: Sequence[Hashable] | NDArray[np.int64],
    length: int = CELL,
) -> float:
    """Return the share of cells that the source has too; NaN where either has none."""
    found, known = cells(values, length), set(cells(source, length))
    return sum(cell in known for cell in found) / len(found) if found and known else float("nan")


def repeated_rhythms(notes: NDArray[np.void]) -> float:
    """Return the share of the rhythm's cells of four interval ratios that are played more than once."""
    return repeated_share(ratio_classes(notes), CELL + 1)


def self_similarity(notes: NDArray[np.void], length: int = FIGURE_STEPS) -> float:
    """Return the mean likeness of the top line's figures to their nearest earlier figure, 0 to 1.

    The likeness of two figures that do not overlap is the share of their steps that differ by at most
    `LEEWAY` semitones and whose inter-onset ratios are of one class or neighbours: a varied or a sequenced
    figure counts. NaN of fewer than two figures.
    """
    line = _line(notes)
    figures = np.lib.stride_tricks.sliding_window_view(line, length, axis=0) if len(line) >= length else line
    count = len(line) - length + 1
    if count <= length:
        return float("nan")
    best = [_likeness(figures[: i - length + 1], figures[i]).max() for i in range(length, count)]
    return float(np.mean(best))


def likeness_to(notes: NDArray[np.void], source: NDArray[np.void], length: int = FIGURE_STEPS) -> float:
    """Return the mean likeness of figures to their nearest figure of a source, as in `self_similarity`."""
    own, other = _line(notes), _line(source)
    if len(own) < length or len(other) < length:
        return float("nan")
    known = np.lib.stride_tricks.sliding_window_view(other, length, axis=0)
    figures = np.lib.stride_tricks.sliding_window_view(own, length, axis=0)
    return float(np.mean([_likeness(known, figure).max() for figure in figures]))


def commonest_cell(notes: NDArray[np.void]) -> float:
    """Return the share of the commonest cell among the top line's cells: high where a line is stuck."""
    found = cells(steps(notes))
    return max(Counter(found).values()) / len(found) if found else float("nan")


def _line(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the steps of the top line and the classes of the ratios into them, (m - 2, 2)."""
    step, ratio = steps(notes), ratio_classes(notes)
    return np.stack([step[1:], ratio], axis=1) if len(ratio) else np.zeros((0, 2), dtype=np.int64)


def _likeness(figures: NDArray[np.int64], figure: NDArray[np.int64]) -> Floats:
    """Return the share of like steps of figures (k, 2, L) and one figure (2, L)."""
    near = np.abs(figures - figure)
    return ((near[:, 0] <= LEEWAY) & (near[:, 1] <= 1)).mean(axis=-1)
