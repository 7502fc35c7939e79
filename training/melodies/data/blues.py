"""Which pieces are a 12-bar blues, judged by the chords of their notes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.harmony.chords import NO_CHORD, QUALITIES

_CHORUS: Final = 48
_BAR: Final = 4
_FIFTH_BAR: Final = 16
_SEVENTH_BAR: Final = 24
_FOURTH: Final = 5
_FEWEST_CHORUSES: Final = 2
_UNKNOWN: Final = -1


def is_blues_piece(notes: NDArray[np.void]) -> bool:
    """Return whether most choruses of a piece, from some bar on, are a 12-bar blues.

    Such a chorus has 48 beats, begins on the tonic, has the subdominant at the fifth bar, and the tonic again
    at the seventh. Its chords are those of the notes, (n,) of `NOTE_DTYPE`, at beats that have notes.
    """
    roots = _roots(notes)
    return any(_is_blues_from(roots[first:]) for first in range(0, min(_CHORUS, len(roots)), _BAR))


def _is_blues_from(roots: Ints) -> bool:
    choruses = roots[: len(roots) // _CHORUS * _CHORUS].reshape(-1, _CHORUS)
    first, fifth, seventh = choruses[:, 0], choruses[:, _FIFTH_BAR], choruses[:, _SEVENTH_BAR]
    known = (first >= 0) & (fifth >= 0) & (seventh >= 0)
    right = known & ((fifth - first) % 12 == _FOURTH) & (seventh == first)
    count = int(np.count_nonzero(known))
    return count >= _FEWEST_CHORUSES and 2 * int(np.count_nonzero(right)) > count


def _roots(notes: NDArray[np.void]) -> Ints:
    """Return the root of the chord on each beat from the first bar line on, -1 where no note of it is known.

    A chord is that of the first note that begins on the beat or within the next one.
    """
    known = (notes["period"] > 0) & (notes["bar_beat"] >= 0) & (notes["chord"] != NO_CHORD)
    if not known.any():
        return np.zeros(0, np.int64)
    chosen = notes[known]
    beat = np.floor(chosen["beat"]).astype(np.int64)
    beat = beat - (beat[0] - int(chosen["bar_beat"][0]))
    root = (chosen["chord"].astype(np.int64) - 1) // len(QUALITIES)
    roots = np.full(beat.max() + 1, _UNKNOWN)
    # Later notes first, so that the first one of a beat stays.
    for shift in (1, 0):
        at = beat - shift
        inside = at >= 0
        roots[at[inside][::-1]] = root[inside][::-1]
    return roots
