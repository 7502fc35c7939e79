"""Sums of a model's NLL and hits by piece, from which figures of likelihood and accuracy are computed.

A row is a piece: nats of each field, scored values of each field, values of each field that were the
likeliest, and notes of which every known field was. Rows may be added.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.windows import Window

Floats = NDArray[np.float64]

NATS: Final = slice(0, 4)
COUNTS: Final = slice(4, 8)
HITS: Final = slice(8, 12)
NOTE_HITS: Final = 12
WIDTH: Final = 13


def empty_sums(pieces: int) -> Floats:
    """Return the rows of pieces without scored notes, (n, 13)."""
    return np.zeros((pieces, WIDTH))


def tally(sums: Floats, window: Window, logits: list[NDArray[np.float32]]) -> None:
    """Add the scored notes of a window of T steps to the row of each piece that `window.piece` names.

    `logits` are those of each field after every step, each (T, size).
    """
    scored = window.scored.any(axis=1)
    piece = window.piece[scored]
    whole = np.ones(len(piece), dtype=np.bool_)
    for field, scores in enumerate(logits):
        known = window.scored[scored, field]
        true = window.target[scored, field]
        own = scores[scored].astype(np.float64)
        highest = own.max(axis=1)
        total = highest + np.log(np.exp(own - highest[:, None]).sum(axis=1))
        nats = total - own[np.arange(len(own)), true]
        hit = own.argmax(axis=1) == true
        whole &= hit | ~known
        for part, values in ((NATS, nats), (COUNTS, np.ones(len(own))), (HITS, hit)):
            np.add.at(sums[:, part.start + field], piece, np.where(known, values, 0))
    np.add.at(sums[:, NOTE_HITS], piece, whole)


def field_nats(sums: Floats) -> Floats:
    """Return nats per value of each field, (n, 4); NaN where none was scored."""
    return _per_value(sums, NATS)


def nats_per_note(sums: Floats) -> Floats:
    """Return nats per note, (n,): the sum of nats per value over the fields that the first row has.

    NaN for a row that lacks one of them, as a draw of pieces without velocities may.
    """
    nats = field_nats(sums)
    return nats[:, np.isfinite(nats[0])].sum(axis=1)


def field_accuracy(sums: Floats) -> Floats:
    """Return the share of each field's values that are the likeliest, (n, 4); NaN where none was scored."""
    return _per_value(sums, HITS)


def note_accuracy(sums: Floats) -> Floats:
    """Return the share of notes whose every known field is the likeliest value, (n,)."""
    return sums[:, NOTE_HITS] / np.maximum(sums[:, COUNTS].max(axis=1), 1)


def _per_value(sums: Floats, part: slice) -> Floats:
    counts = sums[:, COUNTS]
    return np.divide(sums[:, part], counts, out=np.full_like(counts, np.nan), where=counts > 0)
