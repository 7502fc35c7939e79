"""Swing of a melody: where its off-beats lie, and the beat straightened and swung by that."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Beats = NDArray[np.float64]

STRAIGHT: Final = 0.5
"""Place of the off-beat within the beat without swing."""

LATEST: Final = 0.75
"""Latest place of a swung off-beat: a dotted eighth and a sixteenth."""

_ON_BEAT: Final = 0.12
_OFF_BEAT: Final = (0.4, 0.8)
_FEWEST_PAIRS: Final = 4


def off_beat_of(onsets: ArrayLike) -> float:
    """Return where the off-beats of onsets, in beats and ascending, lie within the beat, 0.5 to 0.75.

    It is the median over the beats with two onsets, one of them on the beat; 0.5 if those are fewer than
    four.
    """
    beats = np.asarray(onsets, np.float64) + _ON_BEAT
    whole = np.floor(beats)
    within = beats - whole - _ON_BEAT
    _, first, counts = np.unique(whole, return_index=True, return_counts=True)
    pairs = first[counts == 2]
    second = within[pairs + 1]
    eighths = (np.abs(within[pairs]) <= _ON_BEAT) & (second >= _OFF_BEAT[0]) & (second <= _OFF_BEAT[1])
    if np.count_nonzero(eighths) < _FEWEST_PAIRS:
        return STRAIGHT
    return float(np.clip(np.median(second[eighths]), STRAIGHT, LATEST))


def straightened(beats: ArrayLike, off_beat: float) -> Beats:
    """Return times in beats with the off-beats moved to the middle of the beat."""
    return _warped(beats, off_beat, STRAIGHT)


def swung(beats: ArrayLike, off_beat: float) -> Beats:
    """Return times in beats with the middle of the beat moved to the off-beat: undoes `straightened`."""
    return _warped(beats, STRAIGHT, off_beat)


def _warped(beats: ArrayLike, middle: float, moved: float) -> Beats:
    times = np.asarray(beats, np.float64)
    whole = np.floor(times)
    within = times - whole
    early = within * moved / middle
    late = moved + (within - middle) * (1 - moved) / (1 - middle)
    return whole + np.where(within < middle, early, late)
