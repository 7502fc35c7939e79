"""Chord estimation from notes, for music without chord symbols.

Two small networks classify each frame, then Viterbi smooths their output. The first reads how long each pitch
class sounds in windows around the frame, of all notes, of the lowest and of the high ones; the second reads
the first one's output in near and far windows, and so learns how chords follow each other. Both share one set
of weights among all twelve roots, so that transposed music has transposed chords. Chromas of all
notes and of the bass are those of Mauch and Dixon ("Simultaneous estimation of chords and musical context
from audio", IEEE TASLP 18(6), 2010), learned features with a smoothing decoder those of Korzeniowski and
Widmer ("Feature learning for chord recognition: the deep chroma extractor", ISMIR 2016). `training/harmony`
fits the weights.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.harmony.chords import NO_CHORD, QUALITIES

FRAME: Final = 0.25
"""Seconds of a frame."""

CHANGE_COST: Final = 0.5
"""Cost of a change of chord in log-probability."""

Spans = tuple[tuple[int, int], ...]
"""Spans in frames, from the first to before the last, counted from the frame that is estimated."""

_NEAR: Final[Spans] = ((0, 1), (-1, 0), (1, 2), (-3, -1), (2, 4), (-6, -3), (4, 7))
_BEFORE: Final[Spans] = ((0, 1), (-1, 0), (-2, -1), (-4, -2), (-7, -4))
LIVE_FRAMES: Final = 64
"""Frames that the live estimate reads, its own included: 16 s."""


@dataclass(frozen=True)
class Windows:
    """Windows around each frame that the networks read.

    Attributes:
        all_notes: Windows of all notes.
        lowest: Windows of the lowest notes.
        high: Windows of the high notes.
        chords: Windows of the first network's output.
        weights: File of the networks that read these.
    """

    all_notes: Spans
    lowest: Spans
    high: Spans
    chords: Spans
    weights: str

    @property
    def chroma(self) -> int:
        """Windows of the first network."""
        return len(self.all_notes) + len(self.lowest) + len(self.high)


WHOLE: Final = Windows(
    all_notes=(*_NEAR, (-12, -6), (7, 13), (-24, -12), (13, 25), (-48, 49), (-160, 161)),
    lowest=(*_NEAR, (-12, -6), (7, 13), (-48, 49)),
    high=_NEAR,
    chords=(
        *((0, 1), (-2, 0), (1, 3), (-5, -2), (3, 6)),
        *((-10, -5), (6, 11), (-20, -10), (11, 21), (-240, 241)),
    ),
    weights="estimator.npz",
)
"""Windows on both sides of the frame, for a piece that is known to its end."""

PAST: Final = Windows(
    all_notes=(*_BEFORE, (-12, -7), (-20, -12), (-36, -20), (1 - LIVE_FRAMES, 1)),
    lowest=(*_BEFORE, (-12, -7), (-20, -12), (1 - LIVE_FRAMES, 1)),
    high=_BEFORE,
    chords=(
        *((0, 1), (-2, 0), (-5, -2), (-10, -5)),
        *((-20, -10), (-36, -20), (1 - LIVE_FRAMES, 1)),
    ),
    weights="live_estimator.npz",
)
"""Windows up to the frame, for the chords of music while it is played."""

CHROMA_WINDOWS: Final = WHOLE.chroma
CHORD_WINDOWS: Final = len(WHOLE.chords)

LONGEST: Final = 2.0
"""Longest duration in seconds with which a note counts."""

_HIGH_FROM: Final = 64
_BASS_BELOW: Final = 60
_FAINT: Final = 0.3
"""Added to the sum of a window's chroma before division by it, so that faint windows weigh less."""


@dataclass(frozen=True)
class ChordEstimate:
    """Chords over time.

    Attributes:
        start: Seconds at which the first frame begins.
        frame: Seconds of a frame.
        ids: Chord id of each frame, (frames,) uint8.
    """

    start: float
    frame: float
    ids: NDArray[np.uint8]

    def at(self, seconds: ArrayLike) -> NDArray[np.uint8]:
        """Return the chord id at each time, of the same shape; `NO_CHORD` outside."""
        index = np.floor((np.asarray(seconds, dtype=np.float64) - self.start) / self.frame).astype(np.int64)
        inside = (index >= 0) & (index < len(self.ids))
        if not len(self.ids):
            return np.full(inside.shape, NO_CHORD, dtype=np.uint8)
        return np.where(inside, self.ids[np.clip(index, 0, len(self.ids) - 1)], NO_CHORD).astype(np.uint8)


def estimate_chords(onset: ArrayLike, duration: ArrayLike, pitch: ArrayLike) -> ChordEstimate:
    """Estimate the chords of a piece, from its first onset to the end of its last note, 2 s after it at most.

    Args:
        onset: Seconds, (n,), in any order.
        duration: Seconds, (n,).
        pitch: MIDI pitches, (n,).
    """
    onsets = np.asarray(onset, dtype=np.float64)
    if not len(onsets):
        return ChordEstimate(0.0, FRAME, np.zeros(0, dtype=np.uint8))
    start = float(onsets.min())
    ends = onsets + np.minimum(np.asarray(duration, dtype=np.float64), LONGEST)
    frames = max(math.ceil((float(ends.max()) - start) / FRAME), 1)
    score = chord_log_probabilities(chroma_windows(onset, duration, pitch, start, frames))
    return ChordEstimate(start, FRAME, (1 + _smoothed(score)).astype(np.uint8))


def chroma_windows(
    onset: ArrayLike,
    duration: ArrayLike,
    pitch: ArrayLike,
    start: float,
    frames: int,
    windows: Windows = WHOLE,
    *,
    last_only: bool = False,
) -> NDArray[np.float32]:
    """Return the input of the first network.

    Args:
        onset: Seconds, (n,), in any order.
        duration: Seconds, (n,).
        pitch: MIDI pitches, (n,).
        start: Seconds at which the first frame begins.
        frames: Number of frames; notes outside them are left out.
        windows: The windows.
        last_only: Whether to return those of the last frame alone.

    Returns:
        Share of each window that each pitch class sounds, scaled so that those of one window sum to nearly 1,
        (frames, `windows.chroma`, 12).
    """
    begin = np.asarray(onset, dtype=np.float64) - start
    end = begin + np.clip(np.asarray(duration, dtype=np.float64), 1e-3, LONGEST)
    pitches = np.asarray(pitch, dtype=np.int64)
    inside = (end > 0) & (begin < frames * FRAME)
    begin, end, pitches = np.maximum(begin[inside], 0.0), end[inside], pitches[inside]
    first = np.floor(begin / FRAME).astype(np.int64)
    spans = np.maximum(np.ceil(end / FRAME).astype(np.int64) - first, 1)
    note = np.repeat(np.arange(len(begin)), spans)
    at = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(spans) - spans, spans)
    note, at = note[at < frames], at[at < frames]
    share = (np.minimum(end[note], (at + 1) * FRAME) - np.maximum(begin[note], at * FRAME)) / FRAME
    low = np.full(frames, 128)
    np.minimum.at(low, at, pitches[note])
    is_low = (pitches[note] == low[at]) & (pitches[note] < _BASS_BELOW)
    chosen = (np.ones(len(note), dtype=np.bool_), is_low, pitches[note] >= _HIGH_FROM)
    parts: list[NDArray[np.float32]] = []
    for sounding, spans_of in zip(chosen, (windows.all_notes, windows.lowest, windows.high), strict=True):
        cell = at[sounding] * 12 + pitches[note[sounding]] % 12
        chroma = np.bincount(cell, share[sounding], frames * 12).astype(np.float64).reshape(frames, 12)
        mean = _window_sums(chroma, spans_of, last_only=last_only) / _lengths(spans_of)[:, None]
        parts.append((mean / (mean.sum(axis=2, keepdims=True) + _FAINT)).astype(np.float32))
    return np.concatenate(parts, axis=1)


def chord_windows(
    probabilities: NDArray[np.floating], windows: Windows = WHOLE, *, last_only: bool = False
) -> NDArray[np.float32]:
    """Return the input of the second network: mean probabilities in windows cut at the ends of the piece.

    Args:
        probabilities: Output of the first network, (frames, 96).
        windows: The windows.
        last_only: Whether to return those of the last frame alone.

    Returns:
        (frames, windows, 12, 8), 0 in windows that lie outside.
    """
    inside = _window_sums(np.ones((len(probabilities), 1)), windows.chords, last_only=last_only)
    means = _window_sums(probabilities, windows.chords, last_only=last_only) / np.maximum(inside, 1)
    return means.astype(np.float32).reshape(len(means), len(windows.chords), 12, len(QUALITIES))


def chord_log_probabilities(
    chroma: NDArray[np.float32], windows: Windows = WHOLE, since: int = 0
) -> NDArray[np.float32]:
    """Return log-probabilities of all chords but `NO_CHORD`, (frames - since, 96).

    Args:
        chroma: Of `chroma_windows`, (frames, windows, 12).
        windows: The windows.
        since: The first frame to return; the ones before are read.
    """
    of_notes, of_chords = networks(windows.weights)
    first = log_softmax(of_notes(chroma.reshape(len(chroma), -1)))
    second = of_chords(chord_windows(np.exp(first), windows)[since:].reshape(len(chroma) - since, -1))
    return log_softmax(first[since:] + second)


@dataclass(frozen=True)
class Network:
    """Two ReLU layers, the second residual, and a linear one, with weights shared by the roots.

    Attributes:
        hidden: Weights rotated to each root, (inputs, 12 * width) float32.
        bias: (width,) float32.
        middle: (width, width) float32.
        middle_bias: (width,) float32.
        out: (width, 8) float32.
        out_bias: (8,) float32.
    """

    hidden: NDArray[np.float32]
    bias: NDArray[np.float32]
    middle: NDArray[np.float32]
    middle_bias: NDArray[np.float32]
    out: NDArray[np.float32]
    out_bias: NDArray[np.float32]

    @classmethod
    def rotated(cls, name: str, weights: Mapping[str, NDArray[np.float32]]) -> "Network":
        """Return a network; its stored hidden weights, (windows, 12, depth, width), are for the root C."""
        hidden, *others = (weights[f"{name}_{field.name}"] for field in fields(cls))
        roots = np.stack([np.roll(hidden, root, axis=1) for root in range(12)], axis=-2)
        return cls(np.ascontiguousarray(roots.reshape(-1, 12 * hidden.shape[-1])), *others)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score of each chord, (frames, 96), from inputs (frames, inputs)."""
        hidden = (inputs @ self.hidden).reshape(len(inputs) * 12, len(self.bias)) + self.bias
        np.maximum(hidden, 0, out=hidden)
        hidden += np.maximum(hidden @ self.middle + self.middle_bias, 0)
        return (hidden @ self.out + self.out_bias).reshape(len(inputs), -1).astype(np.float32)


@cache
def networks(weights_file: str = WHOLE.weights) -> tuple[Network, Network]:
    """Return the two networks of a file beside this one; their weights are read once."""
    path = files(__name__.rpartition(".")[0]).joinpath(weights_file)
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        weights = {name: stored[name].astype(np.float32) for name in stored.files}
    return Network.rotated("chroma", weights), Network.rotated("chords", weights)


def _window_sums(
    values: NDArray[np.floating], windows: Spans, *, last_only: bool = False
) -> NDArray[np.float64]:
    """Return sums over windows around each frame, (frames, windows, ...), zeros outside the piece."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    frame = np.arange(len(values) - 1 if last_only else 0, len(values))
    edges = np.clip(frame[:, None, None] + np.array(windows), 0, len(values))
    return total[edges[..., 1]] - total[edges[..., 0]]


def _lengths(windows: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array([last - first for first, last in windows])


def log_softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log-probabilities, (frames, 96), from scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _smoothed(score: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the most likely roots, then the most likely classes on them, as chords (frames,), 0 to 95.

    The root matters more than the class, and a root is likelier than any one chord on it. `score` holds the
    log-probability of each chord in each frame, (frames, 96).
    """
    chords = score.reshape(len(score), 12, len(QUALITIES)).astype(np.float64)
    highest = chords.max(axis=2, keepdims=True)
    root_score = np.log(np.exp(chords - highest).sum(axis=2)) + highest[..., 0]
    roots = _path(root_score, np.full(len(score), CHANGE_COST))
    own_root = np.diff(roots, prepend=-1) == 0
    classes = _path(chords[np.arange(len(roots)), roots], CHANGE_COST * own_root)
    return roots * len(QUALITIES) + classes


def _path(score: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the path with the highest score minus the cost of its changes (Viterbi).

    Args:
        score: Log-probability of each state in each frame, (frames, states).
        cost: Cost of a change of state before each frame, (frames,).
    """
    frames, states = score.shape
    came_from = np.empty((frames, states), dtype=np.int64)
    own = np.arange(states)
    best = score[0]
    for t in range(1, frames):
        leader = int(best.argmax())
        changed = best[leader] - cost[t]
        came_from[t] = np.where(best >= changed, own, leader)
        best = np.maximum(best, changed) + score[t]
    path = np.empty(frames, dtype=np.int64)
    state = int(best.argmax())
    for t in range(frames - 1, -1, -1):
        path[t] = state
        state = int(came_from[t, state])
    return path
