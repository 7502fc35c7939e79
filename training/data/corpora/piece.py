"""What every corpus reader yields: pieces of notes, and reports of files that could not be read."""

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
`UNKNOWN_VELOCITY`, the id of the chord at its onset (`engine/harmony/chords.py`), 0 for none or unknown, and
its onset's metrical place: beats since the first known beat, the beat of the bar that it falls in or follows
(0 is the downbeat, -1 unknown), and the seconds of a beat there. The period is 0 where no beat is known; the
other two are meaningless then."""

UNKNOWN_VELOCITY: Final = 0
"""Velocity of a note without one in its corpus: absent as an input, and not scored as a target."""

Split = Literal["train", "val", "test"]
"""A side of a corpus: what is trained on, what runs are watched and models compared on, and what is kept for
the figures at the end."""

ChordSource = Literal["none", "estimated", "annotated"]
"""Source of the notes' chords: none, an estimator that reads the notes, or annotators."""


@dataclass(frozen=True)
class Piece:
    """One performance.

    Attributes:
        name: Identifier within the corpus, such as the file's relative path.
        corpus: Name of its corpus, such as "pijama".
        player: The performer's full name, such as "Art Tatum"; empty when unknown.
        title: The tune's title; empty when unknown.
        split: Its side of the split. All takes of one piece are on one side.
        notes: Shape (n,) of `NOTE_DTYPE`, sorted by onset tick of 10 ms, then pitch; the first onset is 0.
        tempo: Mean tempo in beats per minute; None when unknown.
        chords: Source of its chords.
        start: Time of the first onset in its file, in seconds.
        quantized: Whether its times are those of notation, not of a performance. It then teaches pitches and
            their places in the bar, but no timing.
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
    quantized: bool = False


@dataclass(frozen=True)
class BrokenFile:
    """A file that was skipped, and the reason to report."""

    path: str
    reason: str
