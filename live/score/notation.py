"""Measures of notes, rests and ties of which each has a note value of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import floor
from typing import Final

from tatumflow.live.score.quantize import WrittenNote

_PLAIN: Final = frozenset(Fraction(n, d) for n, d in ((1, 2), (1, 4), (3, 4), (1, 8), (3, 8)))
_TRIPLE: Final = frozenset((Fraction(1, 3), Fraction(2, 3)))
_TWOS: Final = (1, 2, 4, 8)
_HALF: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Piece:
    """A notehead, a chord or a rest.

    Attributes:
        start: Beats since the start of its measure.
        length: Beats.
        pitches: MIDI pitches, ascending; none for a rest.
        tied_back: Whether a tie leads to it.
        tied_on: Whether a tie leads on from it.
    """

    start: Fraction
    length: Fraction
    pitches: tuple[int, ...] = ()
    tied_back: bool = False
    tied_on: bool = False


def written_measures(notes: Sequence[WrittenNote], beats: Sequence[int]) -> list[tuple[Piece, ...]]:
    """Return the pieces of each measure, which fill it from its first beat to its last.

    Args:
        notes: One voice: sorted, none before the end of the one before.
        beats: Beats of each measure; together at least as long as the notes.

    Raises:
        ValueError: if the notes go beyond the measures.
    """
    lines = [0, *accumulate(beats)]
    if notes and notes[-1].end > lines[-1]:
        raise ValueError("there are notes after the last measure")
    measures: list[list[Piece]] = [[] for _ in beats]
    for start, end, pitches in _with_rests(notes, lines[-1]):
        pieces = [
            (number, piece_start, length)
            for number, line in enumerate(lines[:-1])
            if start < lines[number + 1] and end > line
            for piece_start, length in _pieces(
                max(start - line, Fraction(0)),
                min(end - line, Fraction(beats[number])),
                beats[number],
                rest=not pitches,
            )
        ]
        for i, (number, at, length) in enumerate(pieces):
            back, on = bool(pitches) and i > 0, bool(pitches) and i < len(pieces) - 1
            measures[number].append(Piece(at, length, pitches, back, on))
    return [tuple(measure) for measure in measures]


def _with_rests(
    notes: Sequence[WrittenNote], end: int
) -> Iterator[tuple[Fraction, Fraction, tuple[int, ...]]]:
    at = Fraction(0)
    for note in notes:
        if note.start > at:
            yield at, note.start, ()
        yield note.start, note.end, note.pitches
        at = note.end
    if at < end:
        yield at, Fraction(end), ()


def _pieces(start: Fraction, end: Fraction, beats: int, *, rest: bool) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield starts and lengths of the note values of a span of one measure."""
    if rest and start == 0 and end == beats:
        yield start, end
        return
    at = start
    while at < end:
        beat = floor(at)
        if at == beat and end - at >= 1:
            length = Fraction(_whole_beats(beat, floor(end - at), rest=rest))
            yield at, length
        else:
            stop = min(end, Fraction(beat + 1))
            yield from ((beat + place, length) for place, length in _within(at - beat, stop - beat))
            length = stop - at
        at += length


def _whole_beats(beat: int, most: int, *, rest: bool) -> int:
    """Return how many whole beats a value has that begins on a beat; rests show the halves of the measure."""
    if not rest:
        return min(most, 4)
    return next(n for n in (4, 2, 1) if n <= most and beat % n == 0)


def _within(start: Fraction, end: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield the note values of a part of a beat: plain or dotted, or of a triplet, else cut at its half."""
    length = end - start
    thirds = length in _TRIPLE and (3 * start).denominator == 1
    sixths = start >= _HALF or end <= _HALF
    plain = length in _PLAIN and start.denominator in _TWOS
    if plain or thirds or (sixths and length in (Fraction(1, 6), Fraction(1, 3))):
        yield start, length
    elif start < _HALF < end:
        yield from _within(start, _HALF)
        yield from _within(_HALF, end)
    else:
        part = max((value for value in (*_PLAIN, Fraction(1, 6)) if value < length), default=length)
        yield start, part
        if part < length:
            yield from _within(start + part, end)
