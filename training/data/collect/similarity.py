"""Files with the same notes, found also where one is transposed, at another tempo, or differs here and there.

A file is described by its n-grams: of its upper line (the highest note of each group of onsets), `_STEPS`
steps, each an interval in semitones and whether the time to the next onset is shorter than, like or longer
than the one before. Neither changes with key or tempo. Of the hashes of all n-grams the smallest `_SKETCH`
are kept; the share of them that two files have in common estimates the Jaccard similarity of the whole sets
(MinHash with one function: Broder 1997, On the resemblance and containment of documents).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.model.tokens import to_ticks

LEAST_SIMILARITY: Final = 0.1
"""Estimated Jaccard similarity from which two files have the same notes.

Among 399 transcriptions of PiJAMA the most similar two of different performances have 0.02. A copy that is
transposed and slowed down to four fifths has 0.47 at least, one that lacks a tenth of the notes 0.12.
"""

_LEAST_SHARED: Final = 8
"""N-grams that short files must share too."""

_STEPS: Final = 7
_SKETCH: Final = 256
_TOGETHER_SECONDS: Final = 0.04
_LIKE: Final = 0.5
"""Greatest base-2 logarithm of the ratio of two times that are alike."""

_COMMON: Final = 64
"""Files that share an n-gram beyond which it tells nothing: a scale, a trill."""

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Sketch:
    """What a file is compared by.

    Attributes:
        exact: Hash of pitches and onset ticks.
        grams: Smallest hashes of its n-grams, ascending, (k,) uint64.
        onset: Time of the first note of each, in seconds, (k,).
        pitch: Its pitch, (k,).
    """

    exact: str
    grams: NDArray[np.uint64]
    onset: NDArray[np.float32]
    pitch: NDArray[np.uint8]


@dataclass(frozen=True)
class Similarity:
    """A file that has the notes of an earlier one.

    Attributes:
        one: Number of the earlier file.
        other: Number of the later.
        share: Estimated similarity, 0 to 1.
        exact: Whether pitches and times are the same.
        semitones: How much higher the later one is.
        tempo_ratio: How much faster it is.
    """

    one: int
    other: int
    share: float
    exact: bool
    semitones: int
    tempo_ratio: float


def sketch(notes: NDArray[np.void]) -> Sketch:
    """Describe a file by its notes, of `NOTE_DTYPE`, (n,), sorted by onset."""
    digest = sha256(to_ticks(notes["onset"]).astype("<i8").tobytes() + notes["pitch"].tobytes())
    onset, pitch = _upper_line(notes)
    steps = _steps(onset, pitch)
    count = max(len(steps) - _STEPS + 1, 0)
    grams = np.zeros(count, np.uint64)
    for i in range(_STEPS):
        grams = _mixed(grams * _MIX + steps[i : i + count])
    grams, first = np.unique(grams, return_index=True)
    grams, first = grams[:_SKETCH], first[:_SKETCH]
    return Sketch(digest.hexdigest(), grams, onset[first].astype(np.float32), pitch[first].astype(np.uint8))


def find_similar(sketches: Sequence[Sketch]) -> list[Similarity]:
    """Find the files that have the notes of an earlier one, each with the earliest such; in their order."""
    first: dict[str, int] = {}
    found: dict[int, Similarity] = {}
    for number, one in enumerate(sketches):
        earlier = first.setdefault(one.exact, number)
        if earlier != number:
            found[number] = Similarity(earlier, number, 1.0, True, 0, 1.0)
    for one, other in _candidates(sketches):
        if other in found or one in found:
            continue
        share = similarity(sketches[one], sketches[other])
        if share >= LEAST_SIMILARITY:
            semitones, ratio = _relation(sketches[one], sketches[other])
            found[other] = Similarity(one, other, share, False, semitones, ratio)
    return [found[number] for number in sorted(found)]


def similarity(one: Sketch, other: Sketch) -> float:
    """Return the estimated Jaccard similarity of two files' n-grams, 0 to 1."""
    union = np.union1d(one.grams, other.grams)[:_SKETCH]
    if not len(union):
        return 0.0
    return float(np.isin(union, np.intersect1d(one.grams, other.grams)).mean())


def _candidates(sketches: Sequence[Sketch]) -> list[tuple[int, int]]:
    """Return the pairs that share enough n-grams, by the number of the later, then the earlier."""
    grams = np.concatenate([np.zeros(0, np.uint64), *(one.grams for one in sketches)])
    owner = np.repeat(np.arange(len(sketches)), [len(one.grams) for one in sketches])
    order = np.lexsort((owner, grams))
    grams, owner = grams[order], owner[order]
    # Members of one group of equal grams lie side by side, at most `_COMMON` of them.
    lengths = (
        np.diff(np.flatnonzero(np.concatenate([[True], grams[1:] != grams[:-1], [True]])))
        if len(grams)
        else []
    )
    size = np.repeat(lengths, lengths)
    pairs: list[NDArray[np.int64]] = []
    for apart in range(1, _COMMON):
        same = (grams[apart:] == grams[:-apart]) & (size[apart:] <= _COMMON)
        if not same.any():
            break
        pairs.append(owner[apart:][same] * len(sketches) + owner[:-apart][same])
    if not pairs:
        return []
    pair, shared = np.unique(np.concatenate(pairs), return_counts=True)
    later, earlier = np.divmod(pair, len(sketches))
    kept = shared >= _LEAST_SHARED
    return list(zip(earlier[kept].tolist(), later[kept].tolist(), strict=True))


def _relation(one: Sketch, other: Sketch) -> tuple[int, float]:
    """Return by how many semitones the other is higher, and how much faster it is."""
    _, here, there = np.intersect1d(one.grams, other.grams, assume_unique=True, return_indices=True)
    semitones = np.median(other.pitch[there].astype(np.int64) - one.pitch[here].astype(np.int64))
    order = np.argsort(one.onset[here])
    at, also = one.onset[here][order], other.onset[there][order]
    half = len(at) // 2
    # Times far apart, so that a repeated n-gram matched at another place changes little.
    ratios = (at[half : 2 * half] - at[:half]) / np.where(
        np.abs(also[half : 2 * half] - also[:half]) < 1e-3, np.nan, also[half : 2 * half] - also[:half]
    )
    known = ratios[np.isfinite(ratios)]
    return round(float(semitones)), round(float(np.median(known)), 3) if len(known) else 1.0


def _upper_line(notes: NDArray[np.void]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return onset and pitch of the highest note of each group of onsets."""
    onset = notes["onset"].astype(np.float64)
    order = np.argsort(onset, kind="stable")
    onset, pitch = onset[order], notes["pitch"].astype(np.int64)[order]
    starts = np.flatnonzero(np.diff(onset, prepend=-1.0) > _TOGETHER_SECONDS)
    if not len(starts):
        return np.zeros(0), np.zeros(0, np.int64)
    return onset[starts], np.maximum.reduceat(pitch, starts)


def _steps(onset: NDArray[np.float64], pitch: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return interval and class of time of each step but the first, as one integer, (n - 2,)."""
    if len(onset) < 3:
        return np.zeros(0, np.uint64)
    ratio = np.log2(np.diff(onset)[1:] / np.diff(onset)[:-1])
    times = np.digitize(ratio, [-_LIKE, _LIKE])
    return ((np.diff(pitch)[:-1] + 128) * 4 + times).astype(np.uint64)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return well mixed values (the finalizer of SplitMix64; Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
