"""The form every corpus reader delivers: pieces of notes, and reports of files that could not be read."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

NOTE_DTYPE: Final = np.dtype(
    [
        ("onset", "<f4"),
        ("duration", "<f4"),
        ("pitch", "u1"),
        ("velocity", "u1"),
        ("chord", "u1"),
        ("beat", "<f4"),
        ("bar_beat", "i1"),
        ("period", "<f4"),
    ]
)
"""One note: onset and duration in seconds, MIDI pitch 21 to 108, MIDI velocity 1 to 127 or
`UNKNOWN_VELOCITY`, the id of the chord it begins on (`engine/harmony/chords.py`), 0 for none or unknown, and
where its onset lies in the metre: beats since the first beat known, the beat of the bar that it falls in or
follows (0 is the downbeat, -1 unknown), and the seconds of a beat there. The period is 0 where no beat is
known; the other two mean nothing then."""

UNKNOWN_VELOCITY: Final = 0
"""Velocity of a note whose corpus does not tell it. The model reads it as absent and is not trained on it."""

Split = Literal["train", "val"]

ChordSource = Literal["none", "estimated", "annotated"]
"""Where the chords of notes come from: nowhere, an estimator that heard the notes, or people."""


@dataclass(frozen=True)
class Piece:
    """One performance.

    Attributes:
        name: Identifies the piece within its corpus, such as the file's relative path.
        corpus: The corpus it comes from, such as "pijama".
        player: The performer's full name, such as "Art Tatum"; empty when unknown.
        title: The tune's title; empty when unknown.
        split: The side of the split it belongs to. All takes of one piece are on one side.
        notes: Shape (n,) of `NOTE_DTYPE`, sorted by onset tick of 10 ms, then pitch; the first onset is 0.
        tempo: Mean tempo in beats per minute; None when unknown.
        chords: Where the chords of its notes come from.
        start: Seconds of the first onset on the clock of its file.
    """

    name: str
    corpus: str
    player: str
    title: str
    split: Split
    notes: NDArray[np.void]
    tempo: float | None = None
    chords: ChordSource = "none"
    start: float = 0.0


@dataclass(frozen=True)
class BrokenFile:
    """A file that was skipped, and why, in words for its owner."""

    path: str
    reason: str
