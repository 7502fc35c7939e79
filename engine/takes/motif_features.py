"""Features of motifs: how much of the steps, contour and rhythm of a take comes again."""

from typing import Final

import numpy as np

from tatumflow.engine.takes.passage import Ints, Passage

MOTIF_FEATURES: Final = ("repeated_steps", "repeated_contours", "repeated_rhythms", "commonest_cell")
"""Shares of the take's cells of three steps, and of four interval ratios, that were played before; and the
share of the commonest cell, high where a line is stuck."""

_RATIO_EDGES: Final = np.log2(np.array([0.29, 0.42, 0.6, 0.84, 1.19, 1.68, 2.4, 3.4]))
_CONTOUR_EDGES: Final = np.array([1, 3, 5, 8])
_STEPS, _RATIOS = 3, 4
_LARGEST_STEP: Final = 30
_STEP_CODES: Final = 2 * _LARGEST_STEP + 1
_CLASS_CODES: Final = 16
_STUCK_STEPS: Final = 60


def motif_features(passage: Passage) -> list[float]:
    """Return the features as `MOTIF_FEATURES`."""
    step = np.clip(np.diff(passage.top), -_LARGEST_STEP, _LARGEST_STEP)
    contour = np.sign(step) * np.searchsorted(_CONTOUR_EDGES, np.abs(step), side="right")
    ratio = np.searchsorted(_RATIO_EDGES, np.diff(np.log2(passage.intervals)))
    cells = _cells(step + _LARGEST_STEP, _STEPS, _STEP_CODES)
    lately = cells[-_STUCK_STEPS:]
    return [
        _repeated(cells, passage.own),
        _repeated(_cells(contour + len(_CONTOUR_EDGES), _STEPS, _CLASS_CODES), passage.own),
        _repeated(_cells(ratio, _RATIOS, _CLASS_CODES), passage.own),
        float(np.unique(lately, return_counts=True)[1].max()) / len(lately) if len(lately) else 0.0,
    ]


def _cells(values: Ints, length: int, codes: int) -> Ints:
    """Return a code of each run of `length` successive values, each of 0 to `codes` - 1."""
    count = max(len(values) - length + 1, 0)
    found = np.zeros(count, np.int64)
    for i in range(length):
        found = found * codes + values[i : i + count]
    return found


def _repeated(cells: Ints, last: int) -> float:
    """Return the share of the last cells that were played before."""
    last = min(last, len(cells))
    seen = set(cells[: len(cells) - last].tolist())
    repeated = 0
    for cell in cells[len(cells) - last :].tolist():
        repeated += cell in seen
        seen.add(cell)
    return repeated / last if last else 0.0
