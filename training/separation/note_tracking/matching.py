"""Matching of transcribed notes to the notes that were played, by mir_eval.

Raffel et al., "mir_eval: a transparent implementation of common MIR metrics", ISMIR 2014: a transcribed note
counts for one played note at most, and as many count as can.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from mir_eval.util import match_events
from numpy.typing import NDArray

TOLERANCE: Final = 0.05
"""Seconds by which a transcribed onset may miss the played one."""


@dataclass(frozen=True)
class Onsets:
    """Notes, n of them.

    Attributes:
        time: Seconds, (n,) float64.
        pitch: MIDI pitches, (n,) int64.
    """

    time: NDArray[np.float64]
    pitch: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)


def match(played: Onsets, found: Onsets, *, by_pitch: bool = True) -> NDArray[np.int64]:
    """Return the index of the transcribed note of each played one, (n,) int64; -1 where there is none.

    `by_pitch` states whether the pitches are compared too.
    """
    pairs = np.full(len(played), -1, dtype=np.int64)
    if not len(played) or not len(found):
        return pairs
    distance = np.abs(played.time[:, None] - found.time)
    if by_pitch:
        distance[played.pitch[:, None] != found.pitch] = np.inf
    matched = match_events(played.time, found.time, TOLERANCE, distance=lambda *_: distance)
    for true, estimate in matched:
        pairs[true] = estimate
    return pairs


def f1(played: int, found: int, matched: int) -> float:
    """Return the F-measure of precision and recall, 0 to 1; 1 where nothing was played and nothing found."""
    return 2 * matched / (played + found) if played + found else 1.0
