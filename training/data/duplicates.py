"""Quantized solos that are other transcriptions of played ones, found by melody or by title and player.

Two transcriptions of one solo share long runs of intervals. So do any two players who trill, repeat a note or
run up a scale; a run therefore counts only if its intervals vary.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.corpora.improvisor import tune_key
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.packing import style_slug

LEAST_SHARED: Final = 20
"""Notes of the shortest shared run that counts as the same solo; other solos share up to 19."""

_VARIED: Final = 5
"""Different intervals that a run needs to count."""

_GRAM: Final = 8
"""Intervals compared at once: one byte each, they fill an integer."""


@dataclass(frozen=True)
class Duplicate:
    """A quantized piece and a played one that hold the same solo.

    Attributes:
        quantized: The transcription in notation.
        played: The transcription of the performance.
        shared: Notes of the longest varied run of intervals that both have; 0 for less than nine.
        named: Whether title and player are the same.
    """

    quantized: Piece
    played: Piece
    shared: int
    named: bool

    @property
    def leaks(self) -> bool:
        """Whether the two are on different sides of the split."""
        return self.quantized.split != self.played.split


def find_duplicates(quantized: Sequence[Piece], played: Iterable[Piece]) -> Iterator[Duplicate]:
    """Find pairs that share a varied run of `LEAST_SHARED` notes, or title and player; transposed or not."""
    index = _Grams([piece.notes["pitch"] for piece in quantized])
    names = [(tune_key(piece.title), style_slug(piece.player)) for piece in quantized]
    for other in played:
        shared = index.shared(other.notes["pitch"])
        name = (tune_key(other.title), style_slug(other.player))
        for piece, own, run in zip(quantized, names, shared.tolist(), strict=True):
            named = all(name) and own == name
            if named or run >= LEAST_SHARED:
                yield Duplicate(piece, other, run, named)


def without_leaks(items: Iterable[Piece | BrokenFile]) -> Iterator[Piece | BrokenFile]:
    """Yield the items; quantized pieces last, but for those with a duplicate on the other side of the split.

    A piece left out is reported as a file that was skipped: as training data it would give away a solo that
    models are measured on. The items are read up to three times, and only the quantized pieces are held.
    """
    quantized = [item for item in items if isinstance(item, Piece) and item.quantized]
    leaks: dict[str, tuple[str, str, str]] = {}
    if quantized:
        played = (item for item in items if isinstance(item, Piece) and not item.quantized)
        for pair in find_duplicates(quantized, played):
            if pair.leaks:
                leaks[pair.quantized.name] = (pair.played.name, pair.played.corpus, pair.played.split)
    yield from (item for item in items if not (isinstance(item, Piece) and item.quantized))
    for piece in quantized:
        if piece.name in leaks:
            name, corpus, side = leaks[piece.name]
            yield BrokenFile(piece.name, f"is the solo of {name} ({corpus}), which is on the {side} side")
        else:
            yield piece


class _Grams:
    """An index of the runs of `_GRAM` intervals of melodies."""

    def __init__(self, melodies: Sequence[NDArray[np.integer]]) -> None:
        keys = [_keys(melody) for melody in melodies]
        self._melodies = melodies
        self._keys = np.concatenate([*keys, np.zeros(0, np.uint64)])
        self._owner = np.repeat(np.arange(len(keys)), [len(own) for own in keys])
        self._place = np.concatenate([*(np.arange(len(own)) for own in keys), np.zeros(0, np.int64)])
        order = np.argsort(self._keys, kind="stable")
        self._keys, self._owner, self._place = self._keys[order], self._owner[order], self._place[order]

    def shared(self, melody: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the notes of the longest varied run that each indexed melody shares with this one, (n,)."""
        longest = np.zeros(len(self._melodies), np.int64)
        keys = _keys(melody)
        first, last = (np.searchsorted(self._keys, keys, side) for side in ("left", "right"))
        counts = last - first
        if not counts.sum():
            return longest
        # Each pair of equal grams: its place in this melody, and its row of the index.
        here = np.repeat(np.arange(len(keys)), counts)
        row = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
        owner, place = self._owner[row], self._place[row]
        order = np.lexsort((here, place - here, owner))
        owner, place, here = owner[order], place[order], here[order]
        breaks = (np.diff(owner) != 0) | (np.diff(place - here) != 0) | (np.diff(here) != 1)
        starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
        lengths = np.diff(np.append(starts, len(here))) + _GRAM
        for at in np.argsort(-lengths, kind="stable").tolist():
            whose, begin = owner[starts[at]], here[starts[at]]
            if lengths[at] <= longest[whose]:
                continue
            run = melody[begin : begin + lengths[at]].astype(np.int64)
            if len(np.unique(np.diff(run))) >= _VARIED:
                longest[whose] = lengths[at]
        return longest


def _keys(melody: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return each run of `_GRAM` intervals as an integer, (n - `_GRAM`,) or (0,)."""
    intervals = np.diff(melody.astype(np.int64)) & 0xFF
    count = max(len(intervals) - _GRAM + 1, 0)
    keys = np.zeros(count, np.uint64)
    for i in range(_GRAM):
        keys = (keys << np.uint64(8)) | intervals[i : i + count].astype(np.uint64)
    return keys
