"""Files of beat labels: a table for each performance, and an index."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError

INDEX: Final = "index.csv"

_COLUMNS: Final = (
    *("id", "artist", "title", "split", "midi_filepath", "beats", "median_bpm"),
    *("mean_activation", "mean_confidence"),
)


@dataclass(frozen=True)
class Beats:
    """The beats of a performance, b of them, on the clock of its MIDI file.

    Attributes:
        onset: Seconds, (b,) float64, ascending.
        position: Beat of the bar, 1 for the downbeat, (b,) int64.
        activation: The network's beat activation, (b,) float64, 0 to 1.
        confidence: Probability that the beats around this one are right, (b,) float64, 0 to 1; None where the
            labels have none.
    """

    onset: NDArray[np.float64]
    position: NDArray[np.int64]
    activation: NDArray[np.float64]
    confidence: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class LabelEntry:
    """A row of the index.

    Attributes:
        id: Id of the performance in `pijama.csv`; its table is ID.csv.
        artist: The player.
        title: Title of the tune.
        split: "train" or "val".
        midi_filepath: Path of its MIDI file within the corpus.
    """

    id: str
    artist: str
    title: str
    split: str
    midi_filepath: str


def read_labels(folder: Path) -> Iterator[tuple[LabelEntry, Beats]]:
    """Read a folder of labels in the order of its index.

    Raises:
        CorpusError: if the index or a table is missing or damaged.
    """
    for row in _rows(folder / INDEX):
        try:
            entry = LabelEntry(*(row[column] for column in _COLUMNS[:5]))
        except KeyError as error:
            raise CorpusError(f"{INDEX}: lacks the column {error.args[0]}; make the labels again") from error
        yield entry, read_beats(folder / f"{entry.id}.csv")


def read_beats(path: Path) -> Beats:
    """Read a performance's beats.

    Raises:
        CorpusError: if the file is missing or damaged.
    """
    rows = _rows(path)
    try:
        return Beats(
            onset=np.array([float(row["onset"]) for row in rows]),
            position=np.array([int(row["position"]) for row in rows], dtype=np.int64),
            activation=np.array([float(row["activation"]) for row in rows]),
            confidence=np.array([float(row["confidence"]) for row in rows])
            if rows and "confidence" in rows[0]
            else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"{path.name}: is not a table of beats ({error}); make the labels again") from error


def write_beats(path: Path, beats: Beats) -> None:
    """Write a performance's beats; `read_beats` reads them.

    Raises:
        CorpusError: if the file cannot be written.
    """
    confidence = np.ones(len(beats.onset)) if beats.confidence is None else beats.confidence
    rows = zip(beats.onset, beats.position, beats.activation, confidence, strict=True)
    _write(
        path,
        ("onset", "position", "activation", "confidence"),
        [(f"{onset:.3f}", int(place), f"{active:.3f}", f"{sure:.3f}") for onset, place, active, sure in rows],
    )


def write_index(folder: Path, labelled: Sequence[tuple[LabelEntry, Beats]]) -> None:
    """Write the index of the tables that `write_beats` wrote.

    Raises:
        CorpusError: if the file cannot be written.
    """
    _write(folder / INDEX, _COLUMNS, [_index_row(entry, beats) for entry, beats in labelled])


def _index_row(entry: LabelEntry, beats: Beats) -> tuple[str | int, ...]:
    count = len(beats.onset)
    sure = beats.confidence
    return (
        entry.id,
        entry.artist,
        entry.title,
        entry.split,
        entry.midi_filepath,
        count,
        f"{60 / np.median(np.diff(beats.onset)):.1f}" if count > 1 else "0",
        f"{beats.activation.mean():.3f}" if count else "0",
        "" if sure is None else f"{sure.mean():.3f}" if count else "0",
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path.name}: cannot be read ({error}); give the folder that holds it") from error


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
    except OSError as error:
        raise CorpusError(
            f"{path.name}: cannot be written ({error.strerror}); choose another folder"
        ) from error
