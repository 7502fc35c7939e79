"""Primers: excerpts of real playing to continue, with the player's real continuation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus, PackedPiece, style_slug
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.metrics.onsets import first_notes

PRIMER_NOTES: Final = 64
"""Most notes in a primer."""

PRIMER_SECONDS: Final = 10.0
"""Longest primer."""

CONTINUATION_SECONDS: Final = 20.0
"""Length of a continuation."""

_FEWEST_NOTES: Final = 8
_FEWEST_REAL_NOTES: Final = 16
_TRIES: Final = 8

Notes = NDArray[np.void]


@dataclass(frozen=True)
class Primer:
    """An excerpt, and the player's real continuation.

    Attributes:
        piece: Name of the piece.
        corpus: Name of its corpus.
        player: Slug of its player; empty when unknown.
        title: Its title.
        notes: Notes of the primer, onsets in seconds from its first.
        real: The real continuation, onsets in seconds from the primer's last.
        later: The stretch of the same length after `real`, onsets from its beginning; None where the piece is
            too short.
    """

    piece: str
    corpus: str
    player: str
    title: str
    notes: Notes
    real: Notes
    later: Notes | None


def draw_primers(
    corpus: PackedCorpus,
    split: Split,
    count: int,
    *,
    seconds: float = CONTINUATION_SECONDS,
    seed: int = 0,
    players: Sequence[str] | None = None,
) -> tuple[Primer, ...]:
    """Draw primers at random places, as few as possible from one piece.

    A primer ends after `PRIMER_NOTES` notes or `PRIMER_SECONDS`, whichever comes first, never within a chord,
    and at least `seconds` of the piece follow.

    Args:
        corpus: The packed corpus.
        split: The side of its split.
        count: Number of primers; fewer where the pieces do not hold as many places.
        seconds: Length of the real continuation.
        seed: Seed of the choice.
        players: Slugs of the players whose pieces are used; all when None.

    Raises:
        CorpusError: if no piece is long enough.
    """
    rng = np.random.default_rng(seed)
    pieces = [p for p in corpus.played(split) if players is None or style_slug(p.player) in players]
    primers: list[Primer] = []
    taken: set[tuple[str, str, int]] = set()
    for _ in range(_TRIES):
        for index in rng.permutation(len(pieces)).tolist():
            found = _draw(corpus, pieces[index], seconds, rng)
            if found is None:
                continue
            start, primer = found
            place = (primer.corpus, primer.piece, start)
            if place not in taken:
                taken.add(place)
                primers.append(primer)
            if len(primers) == count:
                return tuple(primers)
    if not primers:
        whose = f" by {', '.join(players)}" if players is not None else ""
        raise CorpusError(
            f"{corpus.path}: no {split} piece{whose} lasts {seconds:g} s beyond a primer; give longer pieces"
        )
    return tuple(primers)


def _draw(
    corpus: PackedCorpus, piece: PackedPiece, seconds: float, rng: np.random.Generator
) -> tuple[int, Primer] | None:
    """Return a primer at a random place of a piece and the index of its first note; None if none fits."""
    notes = corpus.notes(piece)
    onset = notes["onset"].astype(np.float64)
    firsts = first_notes(notes)
    latest = np.searchsorted(onset[firsts], onset[-1] - seconds)
    if latest < 1:
        return None
    for start in firsts[rng.integers(latest, size=_TRIES)].tolist():
        stop = _end(notes, firsts, start)
        cut = float(onset[stop - 1])
        real = stretch_of(notes[stop:], cut, seconds)
        fits = stop - start >= _FEWEST_NOTES and cut + seconds <= onset[-1]
        if not fits or len(real) < _FEWEST_REAL_NOTES:
            continue
        primer = notes[start:stop].copy()
        primer["onset"] = onset[start:stop] - onset[start]
        later = stretch_of(notes[stop:], cut + seconds, seconds)
        goes_on = cut + 2 * seconds <= onset[-1] and len(later) >= _FEWEST_REAL_NOTES
        return start, Primer(
            piece=piece.name,
            corpus=piece.corpus,
            player=style_slug(piece.player),
            title=piece.title,
            notes=primer,
            real=real,
            later=later if goes_on else None,
        )
    return None


def _end(notes: Notes, firsts: NDArray[np.int64], start: int) -> int:
    """Return the index after the primer that begins at `start`: the beginning of an onset."""
    onset = notes["onset"].astype(np.float64)
    by_time = int(np.searchsorted(onset, onset[start] + PRIMER_SECONDS))
    limit = min(start + PRIMER_NOTES, by_time, len(notes))
    ends = firsts[(firsts > start) & (firsts <= limit)]
    return int(ends[-1]) if len(ends) else len(notes)


def segments(notes: Notes, seconds: float, fewest: int = _FEWEST_REAL_NOTES) -> Iterator[Notes]:
    """Cut a piece into stretches of `seconds`; those with few notes, and the remainder, are dropped."""
    onset = notes["onset"].astype(np.float64)
    count = max(int(onset[-1] / seconds), 1) if len(onset) else 0
    edges = np.searchsorted(onset, seconds * np.arange(count + 1))
    for i in range(count):
        if edges[i + 1] - edges[i] >= fewest:
            yield stretch_of(notes[edges[i] : edges[i + 1]], i * seconds, seconds)
