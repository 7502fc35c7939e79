"""The styles of a packed corpus whose players play one note at a time, such as horns."""

from collections import defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.packing import UNKNOWN_STYLE, PackedCorpus

MOST_OVERLAPS: Final = 0.1
"""Share of onsets at which another note still sounds, up to which a player plays lines: pianists have 0.5
and more, horns none but where an onset was transcribed before the end of the note before."""

_SLACK: Final = 0.05
"""Seconds by which two notes of a line may overlap."""


def line_styles(corpus: PackedCorpus) -> tuple[str, ...]:
    """Return the slugs of the styles whose players' pieces are lines, in the order of the style table."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for piece in corpus.index.pieces:
        style, notes = corpus.style_id(piece.player), corpus.notes(piece)
        if style != UNKNOWN_STYLE and len(notes):
            counts[style][0] += int(_overlapped(notes).sum())
            counts[style][1] += len(notes)
    return tuple(
        slug
        for style, slug in enumerate(corpus.index.styles, start=1)
        if counts[style][1] and counts[style][0] <= MOST_OVERLAPS * counts[style][1]
    )


def _overlapped(notes: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return for each onset whether a note before still sounds, (n,); notes are by onset."""
    onset = notes["onset"].astype(np.float64)
    ends = np.maximum.accumulate(onset + notes["duration"])
    return np.concatenate([[False], ends[:-1] > onset[1:] + _SLACK])
