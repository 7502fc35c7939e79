"""Rhythm without known beats: times are in seconds and grids are fixed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import onset_times
from tatumflow.training.evaluate.metrics.pitch import entropy

INTERVAL_EDGES: Final = 0.016 * np.array([3, 5, 7, 9, 13, 19, 27, 39, 55, 79, 111, 157])
"""Edges in seconds of the classes of inter-onset intervals, 0.048 to 2.5, each about a factor 1.4 wide. They
lie half-way between PiJAMA's frames of 32 ms, so that music on those frames and off them falls into the same
classes."""

INTERVAL_CLASSES: Final = len(INTERVAL_EDGES) + 1

GROOVE_WINDOW: Final = 2.0
"""Seconds of a nominal bar: four beats at 120 beats per minute."""

GROOVE_POSITIONS: Final = 32
"""Positions in such a bar, of 62.5 ms: two of the transcriber's frames."""


@dataclass(frozen=True)
class InterOnset:
    """Statistics of the seconds between successive onsets; NaN of fewer than two.

    Attributes:
        mean: Arithmetic mean.
        median: Median.
        deviation: Standard deviation.
        variability: Normalized pairwise variability index, 0 for even rhythm, at most 200 (Grabe and Low
            2002).
    """

    mean: float
    median: float
    deviation: float
    variability: float


def inter_onset_intervals(notes: NDArray[np.void]) -> Floats:
    """Return the seconds between successive onsets, (m - 1,)."""
    return np.diff(onset_times(notes))


def inter_onset_statistics(notes: NDArray[np.void]) -> InterOnset:
    """Return the statistics of the inter-onset intervals."""
    intervals = inter_onset_intervals(notes)
    nan = float("nan")
    if not len(intervals):
        return InterOnset(nan, nan, nan, nan)
    earlier, later = intervals[:-1], intervals[1:]
    changes = np.abs(later - earlier) / ((later + earlier) / 2)
    return InterOnset(
        float(intervals.mean()),
        float(np.median(intervals)),
        float(intervals.std()),
        100 * float(changes.mean()) if len(changes) else nan,
    )


def interval_classes(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the class of each inter-onset interval, (m - 1,), 0 to `INTERVAL_CLASSES` - 1."""
    return np.searchsorted(INTERVAL_EDGES, inter_onset_intervals(notes)).astype(np.int64)


def rhythm_diversity(notes: NDArray[np.void]) -> float:
    """Return the entropy in bits of pairs of successive inter-onset intervals by class; NaN without a pair.

    Of pairs rather than single intervals, so that an even line differs from the same values mixed; at most
    7.4.
    """
    classes = interval_classes(notes)
    return entropy(np.bincount(classes[:-1] * INTERVAL_CLASSES + classes[1:], minlength=1))


def groove_similarity(notes: NDArray[np.void], seconds: float) -> float:
    """Return the similarity of the onset patterns of the stretch's bars, 0 to 1; NaN below two bars.

    Grooving pattern similarity (Wu and Yang 2020, "The Jazz Transformer on the front line"): 1 less the share
    of positions at which two bars differ, on average over all pairs; of bars of `GROOVE_WINDOW` seconds from
    the beginning on, since no bar lines are known.

    Args:
        notes: Notes with onsets in seconds from the beginning of the stretch.
        seconds: Length of the stretch; a bar that it cuts is left out.
    """
    bars = int(seconds / GROOVE_WINDOW + 1e-9)
    if bars < 2:
        return float("nan")
    position = np.floor(notes["onset"].astype(np.float64) * (GROOVE_POSITIONS / GROOVE_WINDOW) + 1e-4)
    position = position[(position >= 0) & (position < bars * GROOVE_POSITIONS)].astype(np.int64)
    pattern = np.zeros(bars * GROOVE_POSITIONS)
    pattern[position] = 1.0
    pattern = pattern.reshape(bars, GROOVE_POSITIONS)
    struck = pattern.sum(axis=0)
    # Two bars differ at a position where one of them alone has an onset.
    differing = (struck * (bars - struck)).sum() / (bars * (bars - 1) / 2)
    return float(1.0 - differing / GROOVE_POSITIONS)
