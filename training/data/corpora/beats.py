"""Metrical places of notes, from a table of beat times."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.corpora.beat_tables import read_labels
from tatumflow.training.data.corpora.piece import Piece
from tatumflow.training.data.corpora.source import open_source

LEAST_ACTIVATION: Final = 0.12
"""Mean activation, 0 to 1, below which the beats of a tracker without confidences are left out."""

LEAST_CONFIDENCE: Final = 0.6
"""Mean confidence, 0 to 1, below which beats with confidences are left out."""

_SPAN: Final = 8
"""Beats over which activations or confidences are averaged."""

_LONGEST_BEAT: Final = 60 / 30
_SHORTEST_BEAT: Final = 60 / 400
_STEADY: Final = 1.35
"""Greatest ratio of neighbouring beats' lengths; beyond it a beat is missing or wrong."""

_PICKUP: Final = 4
"""Beats before the first and after the last one to which the nearest beat's length is extended."""


@dataclass(frozen=True)
class BeatTable:
    """Beats of one performance, n of them, ascending.

    Attributes:
        time: Seconds on the clock of the performance's file, (n,).
        bar_beat: Beat of the bar, 0 for the downbeat, -1 where unknown, (n,).
        sure: Which beats are reliable enough to train on, (n,).
    """

    time: NDArray[np.float64]
    bar_beat: NDArray[np.int64]
    sure: NDArray[np.bool_]


def beat_table(
    time: NDArray[np.float64],
    bar_beat: NDArray[np.int64],
    certainty: NDArray[np.float64] | None = None,
    least: float = LEAST_ACTIVATION,
) -> BeatTable:
    """Return a table of beats; those of low certainty or irregular length are not sure.

    Args:
        time: Seconds, ascending, (n,).
        bar_beat: Beat of the bar, 0 for the downbeat, (n,).
        certainty: Activation or confidence of a tracker, 0 to 1, (n,); None for annotated beats.
        least: Least mean certainty over eight beats.
    """
    sure = np.ones(len(time), dtype=bool)
    if certainty is not None and len(time):
        window = np.ones(min(_SPAN, len(time)))
        mean = np.convolve(certainty, window, "same") / np.convolve(np.ones(len(time)), window, "same")
        sure &= mean >= least
    length = np.diff(time)
    within = (length >= _SHORTEST_BEAT) & (length <= _LONGEST_BEAT)
    if len(length) > 1:
        ratio = np.maximum(length[1:], length[:-1]) / np.maximum(np.minimum(length[1:], length[:-1]), 1e-6)
        within[1:] &= ratio <= _STEADY
        within[:-1] &= ratio <= _STEADY
    if len(length):
        sure[:-1] &= within
        sure[-1] &= within[-1]
    return BeatTable(time, bar_beat, sure)


def with_beats(piece: Piece, beats: BeatTable, offset: float) -> Piece:
    """Return the piece with the metrical place of each note; unknown where no sure beat is near.

    The piece begins at `offset` seconds on the clock of the beats.
    """
    if len(beats.time) < 2:
        return piece
    notes = piece.notes.copy()
    time, count = beats.time - offset, len(beats.time)
    onset = notes["onset"].astype(np.float64)
    length = np.diff(time)
    index = np.clip(np.searchsorted(time, onset, side="right") - 1, 0, count - 2)
    # Rounded as it is stored, so that its whole part is the same after loading.
    beat = (index + (onset - time[index]) / length[index]).astype(np.float32).astype(np.float64)
    known = (beat >= -_PICKUP) & (beat <= count - 1 + _PICKUP) & beats.sure[index] & beats.sure[index + 1]
    whole = np.floor(beat).astype(np.int64)
    inside = np.clip(whole, 0, count - 1)
    bar_beat = beats.bar_beat[inside]
    outside = whole - inside
    per_bar = _beats_per_bar(beats.bar_beat)[inside]
    moved = np.where(bar_beat >= 0, (bar_beat + outside) % np.maximum(per_bar, 1), -1)
    notes["beat"] = beat
    notes["bar_beat"] = np.where(known, np.where(outside == 0, bar_beat, moved), -1)
    notes["period"] = np.where(known, length[index], 0.0)
    return replace(piece, notes=notes)


def _beats_per_bar(bar_beat: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the beats of the bar around each beat, (n,): one more than the highest number near it."""
    most = np.ones(len(bar_beat), np.int64)
    for shift in range(-3, 4):
        moved = np.roll(bar_beat, shift)
        most = np.maximum(most, moved + 1)
    return most


def read_beat_tables(source: Path) -> Iterator[tuple[str, BeatTable]]:
    """Read a folder or archive of beat tables: `index.csv`, and a table a performance named by its `id`.

    Returns:
        For each performance the path of its MIDI file within its corpus, and its beats.

    Raises:
        CorpusError: if the source cannot be read.
    """
    with open_source(source) as folder:
        for entry, beats in read_labels(folder):
            if beats.confidence is None:
                certainty, least = beats.activation, LEAST_ACTIVATION
            else:
                certainty, least = beats.confidence, LEAST_CONFIDENCE
            yield entry.midi_filepath, beat_table(beats.onset, beats.position - 1, certainty, least)
