"""The chords of a bar that has just been played, where the beat is known.

The networks are those of `estimator`: they read what was played before the bar, the bar, and what there is
after it. The probabilities of the frames of half a bar are averaged, so that a chord struck a little early or
late, or held into the next one, does not count for both.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.changes import Bar, ChordChange
from tatumflow.engine.harmony.chords import NO_CHORD, Chord
from tatumflow.engine.harmony.estimator import FRAME, chord_log_probabilities, chroma_windows
from tatumflow.engine.harmony.live_estimator import SURE, LikelyChord, likeliest

_FRAMES: Final = 32
"""Most frames that are read: 8 s. Twice as many are right as often, and cost twice as much."""

_ROUNDING: Final = 1e-9
_FEWEST_TOGETHER: Final = 3
"""Notes that sound together in a chord; the chords of lines alone are right too seldom."""


@dataclass(frozen=True)
class Sounding:
    """Notes that sound, n of them, in any order.

    Attributes:
        onset: Seconds, (n,).
        end: Seconds, (n,); later than the last frame while a key is down.
        pitch: MIDI pitches, (n,).
    """

    onset: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> "Sounding":
        """Return the notes of the rows of `LiveChords.notes`."""
        return cls(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int64))

    def together(self, start: float, end: float) -> int:
        """Return the most notes that sound at once between two times in seconds."""
        inside = (self.onset < end) & (self.end > start)
        begin, until = np.maximum(self.onset[inside], start), self.end[inside]
        return max((int(((begin <= at) & (until > at)).sum()) for at in begin.tolist()), default=0)


def heard_halves(notes: Sounding, start: float, end: float, now: float) -> tuple[LikelyChord, LikelyChord]:
    """Return the chord of each half of a bar; `NO_CHORD` with confidence 0 where no chord was struck.

    Where both halves have the same root and third, they have one chord.

    Args:
        notes: What was played up to `now`.
        start: Seconds of the bar's beginning.
        end: Seconds of its end.
        now: Seconds up to which it is read, `end` or later.
    """
    middle = (start + end) / 2
    spans = ((start, middle), (middle, end))
    struck = [notes.together(*span) >= _FEWEST_TOGETHER for span in spans]
    none = LikelyChord(NO_CHORD, 0.0)
    if not any(struck):
        return none, none
    frames = min(int(np.ceil((now - notes.onset.min()) / FRAME)), _FRAMES)
    first = now - frames * FRAME
    onset = np.maximum(notes.onset, first)
    lasting = np.minimum(notes.end, now) - onset
    sounds = lasting > 0
    chroma = chroma_windows(onset[sounds], lasting[sounds], notes.pitch[sounds], first, frames)
    since = max(int((start - first) / FRAME), 0)
    probabilities = np.exp(chord_log_probabilities(chroma, since=since))
    first += since * FRAME
    halves = [
        _mean(probabilities, first, *span) if at else None for span, at in zip(spans, struck, strict=True)
    ]
    before, after = (none if half is None else likeliest(half) for half in halves)
    if halves[0] is not None and halves[1] is not None and before.same_third(after):
        before = after = likeliest((halves[0] + halves[1]) / 2)
    return before, after


def bar_of(halves: tuple[LikelyChord, LikelyChord], before: Bar, beats: int) -> Bar:
    """Return the chords of a bar, as they were where nothing is sure.

    A first half that is sure holds on over a second that is not.

    Args:
        halves: The chords of its halves.
        before: The chords that were in its place.
        beats: Beats of the bar.
    """
    first, second = (Chord.from_id(half.id) if half.confidence >= SURE else None for half in halves)
    if first is None and second is None:
        return before
    opening = ChordChange(Fraction(0), before[0].chord if first is None else first)
    if second is None or second == opening.chord:
        return (opening,)
    return opening, ChordChange(Fraction(beats, 2), second)


def _mean(probabilities: NDArray[np.float32], first: float, start: float, end: float) -> NDArray[np.float32]:
    """Return the mean of frames between two times, each by how much of it lies there, (96,).

    Args:
        probabilities: Of each chord in each frame, (f, 96).
        first: Seconds at which the first frame begins.
        start: Seconds.
        end: Seconds.
    """
    begins = first + FRAME * np.arange(len(probabilities))
    inside = np.clip(np.minimum(begins + FRAME, end) - np.maximum(begins, start), 0, None)
    return (inside @ probabilities / max(float(inside.sum()), _ROUNDING)).astype(np.float32)
