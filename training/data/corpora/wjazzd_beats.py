"""Weimar solos with their beats: bars, choruses and the lead sheet's chords in seconds; blues detection."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import ChordError, CorpusError
from tatumflow.engine.harmony.chords import Chord, parse_chord
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.data.corpora.source import open_source
from tatumflow.training.data.corpora.wjazzd import BEATS, MELODIES

_BLUES_BEATS: Final = 48
_FOURTH: Final = 5
_FIFTH_BAR: Final = 16
_SEVENTH_BAR: Final = 24


@dataclass(frozen=True)
class Beat:
    """A beat of a solo.

    Attributes:
        time: Seconds on the clock of the solo's notes.
        beat: Beat of the bar, from 1.
        chorus: Number of the chorus; 0 or less before the first.
        chord: The chord in force, None for none.
    """

    time: float
    beat: int
    chorus: int
    chord: Chord | None


@dataclass(frozen=True)
class BeatenSolo:
    """A solo and its beats.

    Attributes:
        name: Name of its file.
        notes: Shape (n,) of `NOTE_DTYPE`; the first onset is 0.
        beats: Its beats, ascending.
    """

    name: str
    notes: NDArray[np.void]
    beats: tuple[Beat, ...]


def read_blues(source: Path) -> Iterator[BeatenSolo]:
    """Read the Weimar solos over a 12-bar blues; see `is_blues` and `read_solos`."""
    return read_solos(source, is_blues)


def read_solos(
    source: Path, accept: Callable[[Sequence[Beat]], bool] = lambda _: True
) -> Iterator[BeatenSolo]:
    """Read the Weimar solos that have notes and beats, in the order of their names.

    `source` is the folder that holds `csv_melody` and `csv_beats`, or the archive of it; `accept` returns
    whether a solo with these beats is read.

    Raises:
        CorpusError: if the source cannot be read, or has no solos with beats.
    """
    with open_source(source) as folder:
        files = sorted((folder / MELODIES).glob("*.csv"))
        files = [path for path in files if (folder / BEATS / path.name).is_file()]
        if not files:
            raise CorpusError(f"{Path(source).name}: has no solos in {MELODIES} and {BEATS}; give its folder")
        for path in files:
            beats = read_beats(folder / BEATS / path.name)
            if accept(beats):
                solo = _read_solo(path, beats)
                if len(solo.notes):
                    yield solo


def read_beats(path: Path) -> list[Beat]:
    """Read a file of `csv_beats`, with its times; a beat without a chord keeps the one before.

    Raises:
        CorpusError: if the file cannot be read.
    """
    beats: list[Beat] = []
    chord: Chord | None = None
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                chord = parse_chord(row["chord"]) if row["chord"] else chord
                chorus = int(float(row["chorus_id"] or 0))
                beats.append(Beat(float(row["onset"]), int(float(row["beat"])), chorus, chord))
    except (OSError, KeyError, TypeError, ValueError, ChordError, csv.Error) as error:
        raise CorpusError(f"{path.name}: is not a table of beats ({error}); download it again") from error
    return beats


def is_blues(beats: Sequence[Beat]) -> bool:
    """Return whether most of a solo's choruses are a 12-bar blues in 4/4.

    Such a chorus has 48 beats, begins on the tonic, has the subdominant at the fifth bar, and the tonic again
    at the seventh.
    """
    choruses = [list(rows) for number, rows in groupby(beats, key=lambda beat: beat.chorus) if number > 0]
    return 2 * sum(_is_blues_chorus(chorus) for chorus in choruses) > len(choruses)


def _is_blues_chorus(beats: Sequence[Beat]) -> bool:
    if len(beats) != _BLUES_BEATS:
        return False
    first, fifth, seventh = (beats[i].chord for i in (0, _FIFTH_BAR, _SEVENTH_BAR))
    if first is None or fifth is None or seventh is None:
        return False
    return (fifth.root - first.root) % 12 == _FOURTH and seventh.root == first.root


def _read_solo(path: Path, beats: Sequence[Beat]) -> BeatenSolo:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (float(row["onset"]), float(row["duration"]), float(row["pitch"]))
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path.name}: is not a table of notes ({error}); download it again") from error
    onset, duration, pitch = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    notes = note_array(onset, duration, np.round(pitch), [UNKNOWN_VELOCITY] * len(onset))
    start = float(onset.min()) if len(onset) else 0.0
    moved = tuple(Beat(beat.time - start, beat.beat, beat.chorus, beat.chord) for beat in beats)
    return BeatenSolo(path.name, notes, moved)
