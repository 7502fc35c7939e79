"""Runs of notes that stretches share with a corpus, found by hashing runs of growing length.

A rolling polynomial hash (Karp and Rabin 1987) of every run of one note, two, three, and so on; a place whose
run is not found is dropped, so that few places remain after some lengths. Two runs count as equal when their
64-bit hashes are.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_BOUNDARY: Final = -1
_INTERVALS_FROM: Final = 128
_TABLE_BITS: Final = 20

Tokens = NDArray[np.int64]


def common_runs(
    stretches: Sequence[NDArray[np.void]], pieces: Sequence[NDArray[np.void]], *, transposed: bool = False
) -> list[NDArray[np.int64]]:
    """Return the length of the run from each note on that some piece of a corpus shares.

    Notes are compared by pitch, in the order of their onsets, and notes of one onset by pitch; times are not.
    A run ends with its stretch or its piece. Five million notes take some seconds.

    Args:
        stretches: Notes of each stretch, (n,).
        pieces: Notes of each piece of the corpus.
        transposed: Whether a run that is transposed as a whole counts.

    Returns:
        Per stretch, (n,): the length in notes of the longest such run from each note on. With `transposed` a
        single note is a run of one, if the corpus holds any.
    """
    queries, corpus = (_joined(parts, transposed) for parts in (stretches, pieces))
    table = np.random.default_rng(0).integers(2**64, size=2 * _INTERVALS_FROM, dtype=np.uint64)
    lengths = np.zeros(len(queries), dtype=np.int64)
    at, place = (np.flatnonzero(tokens != _BOUNDARY) for tokens in (queries, corpus))
    hashes, known = np.zeros(len(at), dtype=np.uint64), np.zeros(len(place), dtype=np.uint64)
    length = 0
    while len(at) and len(place):
        hashes, at = _extended(hashes, at, queries, length, table)
        known, place = _extended(known, place, corpus, length, table)
        targets = np.unique(hashes)
        if not len(targets):
            break
        likely = _likely(known, targets)
        known, place = known[likely], place[likely]
        rank = np.minimum(np.searchsorted(targets, known), len(targets) - 1)
        found = targets[rank] == known
        known, place = known[found], place[found]
        shared = np.zeros(len(targets), dtype=np.bool_)
        shared[rank[found]] = True
        kept = shared[np.searchsorted(targets, hashes)]
        hashes, at = hashes[kept], at[kept]
        length += 1
        lengths[at] = length
    if transposed and any(map(len, pieces)):
        lengths += 1
    return _split(lengths, stretches)


def covered(runs: NDArray[np.int64], shortest: int) -> float:
    """Return the share of notes in runs of `shortest` or more, by lengths of `common_runs`; NaN of none."""
    if not len(runs):
        return float("nan")
    reach = np.where(runs >= shortest, np.arange(len(runs)) + runs, 0)
    return float((np.maximum.accumulate(reach) > np.arange(len(runs))).mean())


def _joined(parts: Sequence[NDArray[np.void]], transposed: bool) -> Tokens:
    """Join parts, a boundary after each: pitches, or intervals to the next note."""
    if not parts:
        return np.zeros(0, dtype=np.int64)
    pitch = np.concatenate([np.append(part["pitch"].astype(np.int16), _BOUNDARY) for part in parts])
    tokens = pitch.astype(np.int64)
    if transposed:
        inside = (tokens[:-1] != _BOUNDARY) & (tokens[1:] != _BOUNDARY)
        tokens[:-1] = np.where(inside, np.diff(tokens) + _INTERVALS_FROM, _BOUNDARY)
    return tokens


def _split(lengths: NDArray[np.int64], parts: Sequence[NDArray[np.void]]) -> list[NDArray[np.int64]]:
    ends = np.cumsum([len(part) + 1 for part in parts])
    return [lengths[end - len(part) - 1 : end - 1] for part, end in zip(parts, ends.tolist(), strict=True)]


def _likely(hashes: NDArray[np.uint64], targets: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which hashes may be among the targets, by their upper bits: a table is faster than a search."""
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    shift = np.uint64(64 - _TABLE_BITS)
    table[targets >> shift] = True
    return table[hashes >> shift]


def _extended(
    hashes: NDArray[np.uint64], at: Tokens, tokens: Tokens, length: int, table: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], Tokens]:
    """Add one more token to the hash of each run; runs that meet a boundary are dropped."""
    following = tokens[at + length]
    inside = following != _BOUNDARY
    return hashes[inside] * _MULTIPLIER + table[following[inside]], at[inside]
