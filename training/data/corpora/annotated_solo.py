"""Weimar solos with the lead sheet's chords and the bass, beat by beat."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import ChordError, CorpusError
from tatumflow.training.data.corpora.piece import BrokenFile, Split
from tatumflow.training.data.corpora.source import open_source, seeded_split
from tatumflow.training.data.corpora.wjazzd import BEATS, MELODIES, chords_in_force, tune_of

_BASS: Final = "csv_bass"

_BASS_SHIFT: Final = -7
"""`bass_pitch` of `csv_beats` lies a fifth above the sounding bass: 7 semitones is the most frequent
difference from `csv_bass` in 34 of the 36 solos that have both."""

_LONGEST_BEAT: Final = 2.0
"""Longest duration, in seconds, of the bass of the last beat before a gap in the table."""


@dataclass(frozen=True)
class Line:
    """Notes of one instrument, n of them, in the order of their onsets.

    Attributes:
        onset: Seconds, (n,) float64.
        duration: Seconds, (n,) float64.
        pitch: MIDI pitches, (n,) int64.
    """

    onset: NDArray[np.float64]
    duration: NDArray[np.float64]
    pitch: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.onset)


@dataclass(frozen=True)
class AnnotatedSolo:
    """A solo, its bass and its chords.

    Attributes:
        name: The file's name.
        tune: The tune's key, the same for every solo on it.
        split: Its tune's side of the split, as in `read_wjazzd`.
        melody: The solo.
        beat_bass: The bass of each beat in the table of beats, where it has one; an estimate of its authors.
        walking_bass: The transcribed bass; empty where there is none.
        beats: Seconds of each beat, (b,) float64, ascending.
        chords: Chord id in force on each beat, (b,) int64.
    """

    name: str
    tune: str
    split: Split
    melody: Line
    beat_bass: Line
    walking_bass: Line
    beats: NDArray[np.float64]
    chords: NDArray[np.int64]


def read_annotated_solos(source: Path, seed: int = 0) -> Iterator[AnnotatedSolo | BrokenFile]:
    """Read the Weimar solos that have a table of beats.

    `source` is the folder that holds `csv_melody` and `csv_beats`, or the archive of it; `seed` that of the
    validation split.

    Raises:
        CorpusError: if the source cannot be read or has no tables of beats.
    """
    with open_source(source) as folder:
        files = sorted((folder / BEATS).glob("*.csv"))
        if not files:
            raise CorpusError(f"{Path(source).name}: has no chords in {BEATS}; give the Weimar Jazz Database")
        for path in files:
            try:
                yield _read(folder, path, seed)
            except (KeyError, OSError, TypeError, ValueError, csv.Error, ChordError) as error:
                yield BrokenFile(path.name, f"cannot be read as melody, beats and bass ({error})")


def _read(folder: Path, path: Path, seed: int) -> AnnotatedSolo:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    beats = np.array([float(row["onset"]) for row in rows])
    with (folder / MELODIES / path.name).open(encoding="utf-8", newline="") as file:
        melody = [(row["onset"], row["duration"], row["pitch"]) for row in csv.DictReader(file)]
    lengths = np.minimum(np.diff(beats, append=beats[-1:] + _LONGEST_BEAT), _LONGEST_BEAT)
    bass = [
        (beat, length, float(row["bass_pitch"]) + _BASS_SHIFT)
        for row, beat, length in zip(rows, beats.tolist(), lengths.tolist(), strict=True)
        if row["bass_pitch"]
    ]
    return AnnotatedSolo(
        name=path.name,
        tune=tune_of(path.stem),
        split=seeded_split(tune_of(path.stem), seed),
        melody=_line(melody),
        beat_bass=_line(bass),
        walking_bass=_line(_walking_bass(folder / _BASS / f"{path.stem}_bass.csv")),
        beats=beats,
        chords=np.array(chords_in_force(row["chord"] for row in rows), dtype=np.int64),
    )


def _walking_bass(path: Path) -> list[tuple[str, str, str]]:
    """Read onset, duration and pitch; the table has no heading; its columns are onset, pitch, duration."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[0], row[2], row[1]) for row in csv.reader(file) if len(row) > 2]


def _line(rows: list[tuple[str, str, str]] | list[tuple[float, float, float]]) -> Line:
    notes = [(float(onset), float(duration), float(pitch)) for onset, duration, pitch in rows]
    sounding = [note for note in notes if all(map(math.isfinite, note)) and note[1] > 0 and note[2] > 0]
    columns = np.array(sorted(sounding), dtype=np.float64).reshape(-1, 3)
    return Line(columns[:, 0], columns[:, 1], np.rint(columns[:, 2]).astype(np.int64))
