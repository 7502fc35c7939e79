"""Parts: what a chunk of a corpus's files was read as, one file each, until all are packed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.training.data.corpora.beats import BeatTable, with_beats
from tatumflow.training.data.corpora.estimated_chords import with_chords
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, BrokenFile, ChordSource, Piece, Split

CHUNK_FILES: Final = 32
"""Files of a chunk: what an interrupted job reads again at most, for each process."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive files of a corpus, and what is needed to read them anywhere.

    Attributes:
        part: The file to write.
        items: What `read` takes for each file.
        read: Reads one file.
        beats: Beats of its pieces by their names, where a table gives them.
    """

    part: Path
    items: Sequence[Any]
    read: Callable[[Any], Piece | BrokenFile]
    beats: Mapping[str, BeatTable]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _PartPiece(_Model):
    """A piece without its notes, of which there are `length`."""

    name: str
    corpus: str
    player: str
    title: str
    split: Split
    length: int
    tempo: float | None
    chords: ChordSource
    start: float
    quantized: bool


class _PartBroken(_Model):
    path: str
    reason: str


class _Contents(_Model):
    entries: tuple[_PartPiece | _PartBroken, ...]


def write_part(chunk: Chunk) -> int:
    """Read a chunk's files, complete their pieces with chords and beats, and write the part.

    Returns:
        The number of files read.

    Raises:
        CorpusError: if the part cannot be written.
    """
    found = [_completed(chunk.read(item), chunk.beats) for item in chunk.items]
    notes = [item.notes for item in found if isinstance(item, Piece)]
    contents = _Contents(entries=tuple(map(_entry, found)))
    try:
        with whole_file(chunk.part) as partial, partial.open("wb") as file:
            np.savez(
                file,
                notes=np.concatenate([np.zeros(0, NOTE_DTYPE), *notes]),
                contents=np.frombuffer(contents.model_dump_json().encode(), np.uint8),
            )
    except OSError as error:
        raise CorpusError(
            f"{chunk.part}: cannot be written ({error.strerror or error}); check rights and space, and run "
            "the command again"
        ) from error
    return len(found)


def is_whole(part: Path) -> bool:
    """Return whether a part is there and undamaged."""
    try:
        read_part(part)
    except CorpusError:
        return False
    return True


def read_part(part: Path) -> list[Piece | BrokenFile]:
    """Read what `write_part` has written, in its order.

    Raises:
        CorpusError: if it is missing or damaged.
    """
    try:
        with np.load(part, allow_pickle=False) as arrays:
            notes: NDArray[np.void] = arrays["notes"]
            contents = _Contents.model_validate_json(arrays["contents"].tobytes())
    except (OSError, KeyError, ValueError, EOFError, BadZipFile, ValidationError) as error:
        raise CorpusError(f"{part}: is missing or damaged; run the command again") from error
    found: list[Piece | BrokenFile] = []
    start = 0
    for entry in contents.entries:
        if isinstance(entry, _PartBroken):
            found.append(BrokenFile(entry.path, entry.reason))
            continue
        end = start + entry.length
        found.append(Piece(**entry.model_dump(exclude={"length"}), notes=notes[start:end]))
        start = end
    return found


@dataclass(frozen=True)
class Parts:
    """The pieces and broken files of parts, in their order; one part at a time is in memory."""

    paths: Sequence[Path]

    def __iter__(self) -> Iterator[Piece | BrokenFile]:
        for path in self.paths:
            yield from read_part(path)


def _completed(item: Piece | BrokenFile, beats: Mapping[str, BeatTable]) -> Piece | BrokenFile:
    """Return a piece with estimated chords, where it has none, and the beats of its table, if any."""
    if isinstance(item, BrokenFile) or not len(item.notes):
        return item
    table = beats.get(item.name)
    piece = with_chords(item)
    return piece if table is None else with_beats(piece, table, piece.start)


def _entry(item: Piece | BrokenFile) -> _PartPiece | _PartBroken:
    if isinstance(item, BrokenFile):
        return _PartBroken(path=item.path, reason=item.reason)
    return _PartPiece(
        name=item.name,
        corpus=item.corpus,
        player=item.player,
        title=item.title,
        split=item.split,
        length=len(item.notes),
        tempo=item.tempo,
        chords=item.chords,
        start=item.start,
        quantized=item.quantized,
    )
