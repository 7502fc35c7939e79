"""Packed corpora: the notes of every piece in one memory-mapped array, and an index of the pieces."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import recover_folder, whole_folder
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, BrokenFile, ChordSource, Piece, Split

FORMAT_VERSION: Final = 3
UNKNOWN_STYLE: Final = 0
"""Style id of players without a style, and of no style."""

_NOTES_FILE: Final = "notes.npy"
_INDEX_FILE: Final = "index.json"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusInfo(_Model):
    """A corpus, the licence of its data, the source of its chords, and whether it is notated, not played."""

    name: str
    licence: str
    chords: ChordSource = "none"
    quantized: bool = False


class PackedPiece(_Model):
    """One piece: `length` notes of the packed notes from `start` on."""

    name: str
    corpus: str
    player: str
    title: str
    split: Split
    start: int = Field(ge=0)
    length: int = Field(gt=0)
    tempo: float | None = Field(default=None, gt=0)


class SkippedFile(_Model):
    """A file that was not packed, and why."""

    path: str
    reason: str


class PackedIndex(_Model):
    """The index of a packed corpus. `styles` is sorted; a player's style id is 1 + its rank there."""

    format_version: int
    corpora: tuple[CorpusInfo, ...]
    styles: tuple[str, ...]
    pieces: tuple[PackedPiece, ...]
    broken: tuple[SkippedFile, ...] = ()

    @model_validator(mode="after")
    def _styles_are_sorted(self) -> Self:
        if list(self.styles) != sorted(set(self.styles)):
            raise ValueError("styles are not sorted and unique")
        return self


@dataclass(frozen=True)
class SplitCount:
    """Pieces, notes and hours of one corpus on one side of the split."""

    corpus: str
    split: Split
    pieces: int
    notes: int
    hours: float


@dataclass(frozen=True)
class PackReport:
    """Result of packing.

    Attributes:
        out: The folder written.
        counts: One entry for each corpus and split with any pieces.
        styles: The styles, in the order of their ids from 1.
        broken: The files that were skipped.
    """

    out: Path
    counts: tuple[SplitCount, ...]
    styles: tuple[str, ...]
    broken: tuple[BrokenFile, ...]


def style_slug(player: str) -> str:
    """Return the style name of a player: "Art Tatum" is "art-tatum"; empty when the player is unknown."""
    plain = unicodedata.normalize("NFKD", player).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def pack(
    pieces: Iterable[Piece | BrokenFile],
    out: Path,
    licences: Mapping[str, str] | None = None,
    min_style_notes: int = 1500,
) -> PackReport:
    """Pack pieces into a folder, whole or not at all.

    Args:
        pieces: Pieces and broken files, as corpus readers yield them. Pieces without notes count as broken.
        out: The folder. A packed corpus already there is replaced; anything else there is an error.
        licences: The licence of each corpus by name; "unstated" for those not named.
        min_style_notes: Fewest training notes for which a player gets a style.

    Raises:
        CorpusError: if there are no pieces, one comes twice, the chords of one corpus have several sources,
            some of its pieces are quantized and others not, or the folder cannot be written.
    """
    out = Path(out)
    _check_target(out)
    arrays: list[NDArray[np.void]] = []
    packed: list[PackedPiece] = []
    broken: list[BrokenFile] = []
    position = 0
    names: set[tuple[str, str]] = set()
    chords: dict[str, ChordSource] = {}
    quantized: dict[str, bool] = {}
    for piece in pieces:
        if isinstance(piece, BrokenFile):
            broken.append(piece)
            continue
        if (piece.corpus, piece.name) in names:
            raise CorpusError(
                f"{piece.corpus}: has {piece.name} twice; give each source once, under its own name"
            )
        names.add((piece.corpus, piece.name))
        if not len(piece.notes):
            broken.append(BrokenFile(piece.name, "has no notes"))
        else:
            if chords.setdefault(piece.corpus, piece.chords) != piece.chords:
                raise CorpusError(
                    f"{piece.corpus}: the chords of {piece.name} are {piece.chords}, those of other pieces "
                    f"{chords[piece.corpus]}; give each kind a corpus of its own"
                )
            if quantized.setdefault(piece.corpus, piece.quantized) != piece.quantized:
                raise CorpusError(
                    f"{piece.corpus}: has quantized and played pieces; give each kind a corpus of its own"
                )
            packed.append(_packed(piece, position))
            arrays.append(piece.notes)
            position += len(piece.notes)
    if not packed:
        raise CorpusError(f"{out.name}: no piece could be read ({len(broken)} broken); check the sources")
    index = PackedIndex(
        format_version=FORMAT_VERSION,
        corpora=tuple(
            CorpusInfo(
                name=name,
                licence=(licences or {}).get(name, "unstated"),
                chords=chords[name],
                quantized=quantized[name],
            )
            for name in sorted(chords)
        ),
        styles=_styles(packed, min_style_notes),
        pieces=tuple(packed),
        broken=tuple(SkippedFile(path=file.path, reason=file.reason) for file in broken),
    )
    notes = np.concatenate(arrays)
    _write(out, notes, index)
    return PackReport(out, tuple(_counts(index, notes)), index.styles, tuple(broken))


@dataclass(frozen=True)
class PackedCorpus:
    """A packed corpus opened for reading.

    Attributes:
        path: Its folder.
        index: Its pieces and styles.
        array: Every note of `NOTE_DTYPE`, memory-mapped and read-only, shape (n,).
    """

    path: Path
    index: PackedIndex
    array: NDArray[np.void]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a packed corpus; its notes are read from disk as they are used.

        Raises:
            CorpusError: if the folder is missing, damaged, or of another format version.
        """
        path = Path(path)
        recover_folder(path)
        index = _read_index(path / _INDEX_FILE)
        try:
            array = np.load(path / _NOTES_FILE, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise CorpusError(f"{path / _NOTES_FILE}: cannot be read; prepare the corpus again") from error
        if array.dtype != NOTE_DTYPE or array.ndim != 1:
            raise CorpusError(f"{path / _NOTES_FILE}: does not hold notes; prepare the corpus again")
        if any(piece.start + piece.length > len(array) for piece in index.pieces):
            raise CorpusError(f"{path / _NOTES_FILE}: is shorter than its index; prepare the corpus again")
        return cls(path, index, array)

    def pieces(self, split: Split, corpus: str | None = None) -> tuple[PackedPiece, ...]:
        """Return the pieces on one side of the split, of one corpus or of all."""
        return tuple(
            piece for piece in self.index.pieces if piece.split == split and corpus in (None, piece.corpus)
        )

    def played(self, split: Split) -> tuple[PackedPiece, ...]:
        """Return the pieces on one side of the split that were played: models are measured against these."""
        return tuple(piece for piece in self.pieces(split) if not self.quantized(piece))

    def quantized(self, piece: PackedPiece) -> bool:
        """Return whether a piece has the times of notation instead of a performance's."""
        return any(info.quantized for info in self.index.corpora if info.name == piece.corpus)

    def notes(self, piece: PackedPiece) -> NDArray[np.void]:
        """Return a piece's notes, shape (length,) of `NOTE_DTYPE`: a read-only view, nothing is copied."""
        return self.array[piece.start : piece.start + piece.length]

    def style_id(self, player: str) -> int:
        """Return the style id of a player, given as a name or slug; 0 when there is no such style."""
        slug = style_slug(player)
        return 1 + self.index.styles.index(slug) if slug in self.index.styles else UNKNOWN_STYLE


def _check_target(out: Path) -> None:
    recover_folder(out)
    if out.exists() and not (out / _INDEX_FILE).exists() and (not out.is_dir() or any(out.iterdir())):
        raise CorpusError(f"{out}: exists and is not a packed corpus; choose another folder")


def _packed(piece: Piece, start: int) -> PackedPiece:
    return PackedPiece(
        name=piece.name,
        corpus=piece.corpus,
        player=piece.player,
        title=piece.title,
        split=piece.split,
        start=start,
        length=len(piece.notes),
        tempo=piece.tempo,
    )


def _styles(pieces: list[PackedPiece], min_notes: int) -> tuple[str, ...]:
    notes: Counter[str] = Counter()
    for piece in pieces:
        if piece.split == "train":
            notes[style_slug(piece.player)] += piece.length
    return tuple(sorted(slug for slug, count in notes.items() if slug and count >= min_notes))


def _counts(index: PackedIndex, notes: NDArray[np.void]) -> Iterator[SplitCount]:
    for corpus in index.corpora:
        for split in ("train", "val"):
            chosen = [p for p in index.pieces if p.corpus == corpus.name and p.split == split]
            if chosen:
                ends = (notes[p.start : p.start + p.length] for p in chosen)
                seconds = sum(float((n["onset"] + n["duration"]).max()) for n in ends)
                yield SplitCount(
                    corpus.name, split, len(chosen), sum(p.length for p in chosen), seconds / 3600
                )


def _write(out: Path, notes: NDArray[np.void], index: PackedIndex) -> None:
    try:
        with whole_folder(out) as new:
            np.save(new / _NOTES_FILE, notes)
            (new / _INDEX_FILE).write_text(index.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise CorpusError(
            f"{out}: cannot be written ({error.strerror}); check that its folder is writable and has space"
        ) from error


def _read_index(path: Path) -> PackedIndex:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorpusError(f"{path.parent}: is not a packed corpus; run `tatumflow data prepare`") from None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read; prepare the corpus again") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise CorpusError(
            f"{path}: has format {version}, this program reads {FORMAT_VERSION}; prepare the corpus again"
        )
    try:
        return PackedIndex.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        raise CorpusError(f"{path}: {place}: {reason}; prepare the corpus again") from error
