"""Which of the notes that were found are the ones that were played.

As in mir_eval (Raffel et al., "mir_eval: a transparent implementation of common MIR metrics", ISMIR 2014): a
found note counts for one played note at most, and as many count as can.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

TOLERANCE: Final = 0.05
"""Seconds that a found onset may be from the played one."""


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
    """Return the found note of each played one, (n,) int64; -1 where there is none.

    Args:
        played: The true notes.
        found: What a tracker says.
        by_pitch: Whether the pitch must be right as well.
    """
    if not len(played) or not len(found):
        return np.full(len(played), -1, dtype=np.int64)
    near = np.abs(played.time[:, None] - found.time) <= TOLERANCE
    if by_pitch:
        near &= played.pitch[:, None] == found.pitch
    return maximum_bipartite_matching(csr_array(near), perm_type="column").astype(np.int64)


def f1(played: int, found: int, matched: int) -> float:
    """Return the F-measure of precision and recall, 0 to 1; of nothing played and nothing found 1."""
    return 2 * matched / (played + found) if played + found else 1.0
