"""PiJAMA: transcriptions of solo jazz piano (Edwards, Dixon, Benetos, TISMIR 2023; Zenodo record 8354955)."""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import CorpusError, MidiFileError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.training.data.corpora.note_array import from_notes
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.corpora.source import CorpusFiles, open_source

CORPUS: Final = "pijama"
LICENCE: Final = "CC BY-NC 4.0"
METADATA: Final = "pijama.csv"
_COLUMNS: Final = {
    "artist", "title", "midi_filepath", "split", "performance_start_sec", "performance_end_sec"
}  # fmt: skip


def read_pijama(source: Path) -> Iterator[Piece | BrokenFile]:
    """Read PiJAMA's performances with its authors' split; a test split is left out.

    Notes that begin outside the performance by the metadata (applause, announcements) are left out. The files
    state a fixed tempo of 120 bpm that is meaningless, so no piece has a tempo.

    Args:
        source: The folder that holds `pijama.csv`, or the archive of it.

    Raises:
        CorpusError: if the source or its metadata cannot be read.
    """
    with open_source(source) as folder:
        yield from pijama_files(folder)


def pijama_files(folder: Path) -> CorpusFiles:
    """List the performances of an extracted PiJAMA; see `read_pijama`.

    Raises:
        CorpusError: if its metadata cannot be read.
    """
    rows = [row for row in read_metadata(folder) if row["split"] in ("train", "val")]
    names = [row["midi_filepath"] for row in rows]
    return CorpusFiles(CORPUS, LICENCE, names, rows, partial(_read_row, folder))


def read_metadata(folder: Path) -> list[dict[str, str]]:
    """Read the table of all performances, a dictionary each.

    Raises:
        CorpusError: if it cannot be read or lacks a column.
    """
    path = folder / METADATA
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path.name}: cannot be read ({error}); give the folder that holds it") from error
    missing = _COLUMNS - set(rows[0] if rows else ())
    if missing:
        raise CorpusError(f"{path.name}: lacks the columns {', '.join(sorted(missing))}; download it again")
    return rows


def _read_row(folder: Path, row: dict[str, str]) -> Piece | BrokenFile:
    name = row["midi_filepath"]
    try:
        begin, end = float(row["performance_start_sec"]), float(row["performance_end_sec"])
    except (TypeError, ValueError):
        return BrokenFile(name, f"{METADATA} gives no start and end in seconds for it")
    try:
        performance = read_midi(folder / name)
    except MidiFileError as error:
        return BrokenFile(name, str(error))
    notes = [note for note in performance.notes if begin <= note.onset <= end]
    if not notes:
        return BrokenFile(name, f"has no notes between {begin:g} s and {end:g} s")
    return Piece(
        name=name,
        corpus=CORPUS,
        player=row["artist"],
        title=row["title"],
        split="val" if row["split"] == "val" else "train",
        notes=from_notes(notes),
        start=min(note.onset for note in notes),
    )
