"""Scales of the chord vocabulary, as tables of pitch classes."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.chords import NUM_CHORDS, Chord, Quality

_OCTAVE: Final = 12
_SCALES: Final[dict[Quality, tuple[int, ...]]] = {
    "maj7": (0, 2, 4, 5, 7, 9, 11),
    "7": (0, 2, 4, 5, 7, 9, 10),
    "m7": (0, 2, 3, 5, 7, 9, 10),
    "m7b5": (0, 1, 3, 5, 6, 8, 10),
    "m6": (0, 2, 3, 5, 7, 9, 11),
    "7sus4": (0, 2, 4, 5, 7, 9, 10),
}


def pitch_class_table(intervals: Mapping[Quality, Sequence[int]]) -> NDArray[np.bool_]:
    """Return the pitch classes of each chord id, (97, 12), from semitones above the root."""
    table = np.zeros((NUM_CHORDS, _OCTAVE), dtype=np.bool_)
    for root in range(_OCTAVE):
        for quality, above in intervals.items():
            table[Chord(root, quality).id, [(root + interval) % _OCTAVE for interval in above]] = True
    table.setflags(write=False)
    return table


SCALES: Final = pitch_class_table(_SCALES)
"""The scale of the chord of each id, (97, 12) bool: major, Mixolydian, Dorian, Locrian or melodic minor; none
for diminished and augmented chords."""
