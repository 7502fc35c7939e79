"""Chord estimation while the music is played: each frame from the notes up to its end alone.

The networks are those of `estimator`, fitted to windows of the last 16 s. Their output is not smoothed: they
read the past already, and a hidden Markov model after them only delayed each change. The probability of the
likeliest root with its third is the confidence.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.harmony.chords import NO_CHORD, QUALITIES
from tatumflow.engine.harmony.estimator import (
    FRAME,
    LIVE_FRAMES,
    LONGEST,
    PAST,
    ChordEstimate,
    chord_windows,
    chroma_windows,
    log_softmax,
    networks,
)

SURE: Final = 0.6
"""Confidence from which on a chord counts as known: of solos with their bass, the least one, in steps of 0.1,
at which root and third are right at least half of the time."""

FORGET: Final = LIVE_FRAMES * FRAME
"""Seconds without a note after which the music counts as new."""

_ROUNDING: Final = 1e-9
_MOST_NOTES: Final = 512
_MINOR: Final = frozenset({"m7", "m7b5", "dim7", "m6"})
_IS_MINOR: Final = np.array([quality in _MINOR for quality in QUALITIES])


@dataclass(frozen=True)
class LikelyChord:
    """The chord at present.

    Attributes:
        id: The likeliest chord's id.
        confidence: Probability of its root with its third, 0 to 1.
    """

    id: int
    confidence: float

    @property
    def sure_id(self) -> int:
        """The chord's id where it is sure, else `NO_CHORD`."""
        return self.id if self.confidence >= SURE else NO_CHORD

    def same_third(self, other: "LikelyChord") -> bool:
        """Return whether another chord has the same root and third."""
        mine, others = divmod(self.id - 1, len(QUALITIES)), divmod(other.id - 1, len(QUALITIES))
        return mine[0] == others[0] and bool(_IS_MINOR[mine[1]] == _IS_MINOR[others[1]])


@dataclass(frozen=True)
class LiveEstimate:
    """Chords over time, each known at the end of its frame.

    Attributes:
        chords: The likeliest chords, put where they are known: its frames begin one frame late.
        confidence: Confidence in each, (frames,) float64.
    """

    chords: ChordEstimate
    confidence: NDArray[np.float64]

    @property
    def sure(self) -> ChordEstimate:
        """The chords where they are sure, `NO_CHORD` elsewhere."""
        ids = np.where(self.confidence >= SURE, self.chords.ids, NO_CHORD).astype(np.uint8)
        return ChordEstimate(self.chords.start, self.chords.frame, ids)


def estimate_live(onset: ArrayLike, duration: ArrayLike, pitch: ArrayLike) -> LiveEstimate:
    """Estimate the chords of a piece as `LiveChords` would while it is played, in one go.

    Args:
        onset: Seconds, (n,), in any order.
        duration: Seconds, (n,).
        pitch: MIDI pitches, (n,).
    """
    onsets = np.asarray(onset, dtype=np.float64)
    if not len(onsets):
        return LiveEstimate(ChordEstimate(0.0, FRAME, np.zeros(0, np.uint8)), np.zeros(0))
    start = float(onsets.min())
    ends = onsets + np.minimum(np.asarray(duration, dtype=np.float64), LONGEST)
    frames = max(math.ceil((float(ends.max()) - start) / FRAME), 1)
    of_notes, of_chords = networks(PAST.weights)
    chroma = chroma_windows(onset, duration, pitch, start, frames, PAST)
    first = log_softmax(of_notes(chroma.reshape(frames, -1)))
    score = log_softmax(first + of_chords(chord_windows(np.exp(first), PAST).reshape(frames, -1)))
    heard = [likeliest(row) for row in np.exp(score)]
    ids = np.array([chord.id for chord in heard], dtype=np.uint8)
    confidence = np.array([chord.confidence for chord in heard])
    return LiveEstimate(ChordEstimate(start + FRAME, FRAME, ids), confidence)


class LiveChords:
    """Hears the chords of notes while they are played, frame by frame from the first note on.

    A note costs nothing but its place in a list; `advance` reads the last 16 s once a frame. Notes that come
    after their frame was read count from the next one on.

    Attributes:
        last_onset: Seconds of the last onset; -inf before the first.
    """

    def __init__(self) -> None:
        self._notes: deque[list[float]] = deque(maxlen=_MOST_NOTES)
        self._held: dict[int, list[float]] = {}
        self._first: deque[NDArray[np.float32]] = deque(maxlen=LIVE_FRAMES)
        self._begin()

    @property
    def next_look(self) -> float | None:
        """Seconds at which `advance` is due; None before a note."""
        return None if self._start is None else self._start + (self._frame + 1) * FRAME

    @property
    def heard_until(self) -> float:
        """Seconds up to which there is something to hear: the last onset; with a key down the last frame.

        -inf before the first note.
        """
        if self._start is None or not self._held:
            return self.last_onset
        return max(self.last_onset, self._start + self._frame * FRAME)

    @property
    def likely(self) -> LikelyChord | None:
        """The chord at present; None before the first frame."""
        return self._likely

    @property
    def notes(self) -> NDArray[np.float64]:
        """Onsets and ends in seconds and pitches of the notes of at least the last 16 s, (n, 3).

        The end of a key that is down is infinite.
        """
        return np.array(self._notes, dtype=np.float64).reshape(-1, 3)

    def note_on(self, onset: float, pitch: int) -> None:
        """Keep a note whose key is down."""
        if self._start is None:
            self._start = onset
        self.note_off(onset, pitch)
        note = [onset, math.inf, float(pitch)]
        self._notes.append(note)
        self._held[pitch] = note
        self.last_onset = max(self.last_onset, onset)

    def note_off(self, time: float, pitch: int) -> None:
        """End a note at `time` seconds; without one, nothing happens."""
        note = self._held.pop(pitch, None)
        if note is not None:
            note[1] = max(time, note[0])

    def advance(self, now: float) -> None:
        """Read a frame that has ended by `now` seconds, one a call; a gap of more than 16 s begins anew."""
        if self._start is None:
            return
        if now - self.last_onset > FORGET:
            self._notes.clear()
            self._held.clear()
            self._begin()
            return
        ended = math.floor((now - self._start) / FRAME + _ROUNDING)
        self._frame = max(self._frame, ended - LIVE_FRAMES)
        if self._frame < ended:
            self._read(self._start, self._frame)
            self._frame += 1

    def _begin(self) -> None:
        self._start: float | None = None
        self._frame = 0
        self.last_onset = -math.inf
        self._first.clear()
        self._likely: LikelyChord | None = None

    def _read(self, start: float, frame: int) -> None:
        """Read one frame, counted from `start` seconds."""
        first = max(frame + 1 - LIVE_FRAMES, 0)
        begin, end = start + first * FRAME, start + (frame + 1) * FRAME
        while self._notes and self._notes[0][0] < begin - LONGEST:
            self._notes.popleft()
        columns = np.array([note for note in self._notes if note[0] < end], dtype=np.float64).reshape(-1, 3)
        of_notes, of_chords = networks(PAST.weights)
        lasting = columns[:, 1] - columns[:, 0]
        frames = frame + 1 - first
        chroma = chroma_windows(columns[:, 0], lasting, columns[:, 2], begin, frames, PAST, last_only=True)
        scored = log_softmax(of_notes(chroma.reshape(1, -1)))
        self._first.append(np.exp(scored[0]))
        seen = chord_windows(np.stack(self._first), PAST, last_only=True)
        self._likely = likeliest(np.exp(log_softmax(scored + of_chords(seen.reshape(1, -1)))[0]))


def likeliest(probabilities: NDArray[np.floating]) -> LikelyChord:
    """Return the likeliest class on the likeliest root, from the probabilities of the chords, (96,)."""
    of_roots = probabilities.reshape(12, len(QUALITIES))
    root = int(of_roots.sum(axis=1).argmax())
    quality = int(of_roots[root].argmax())
    third = _IS_MINOR[quality] == _IS_MINOR
    return LikelyChord(1 + root * len(QUALITIES) + quality, float(of_roots[root, third].sum()))
