"""Onsets of music: notes struck together count as one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.bootstrap import Floats

TOGETHER: Final = 0.03
"""Seconds between onsets below which notes count as struck together, as in `engine/model/constraints.py`. A
transcriber's frames of 32 ms remain separate onsets."""

_ROUNDING: Final = 1e-6


def onset_groups(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the index of each note's onset, (n,), from 0.

    A note less than `TOGETHER` after the one before it belongs to the same onset.

    Args:
        notes: Notes by onset, (n,), with the fields `onset`, `duration`, `pitch` and `velocity`.
    """
    separate = np.diff(notes["onset"].astype(np.float64)) >= TOGETHER - _ROUNDING
    return np.concatenate([[0], np.cumsum(separate)])[: len(notes)].astype(np.int64)


def onset_times(notes: NDArray[np.void]) -> Floats:
    """Return the time of each onset in seconds, that of its first note, (m,)."""
    return notes["onset"].astype(np.float64)[first_notes(notes)]


def first_notes(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the index of each onset's first note, (m,)."""
    return np.flatnonzero(np.diff(onset_groups(notes), prepend=-1))


def skyline(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the highest MIDI pitch of each onset, (m,) (Uitdenbogerd and Zobel 1999)."""
    if not len(notes):
        return np.zeros(0, dtype=np.int64)
    return np.maximum.reduceat(notes["pitch"].astype(np.int64), first_notes(notes))
