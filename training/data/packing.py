"""Packed corpora: the notes of every piece in memory-mapped shards, and an index of the pieces."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import recover_folder, whole_folder
from tatumflow.training.data.corpora.piece import BrokenFile, ChordSource, Piece, Split
from tatumflow.training.data.shards import SHARD_NOTES, MappedShards, ShardWriter

FORMAT_VERSION: Final = 4
_OLDEST_VERSION: Final = 3
"""Its notes lie in one file, `notes.npy`."""

UNKNOWN_STYLE: Final = 0
"""Style id of players without a style, and of no style."""

_INDEX_FILE: Final = "index.json"
_ShardName = Annotated[str, Field(pattern=r"^notes(-\d{5,})?\.npy$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusInfo(_Model):
    """A corpus, the licence of its data, the source of its chords, and whether it is notated, not played."""

    name: str
    licence: str
    chords: ChordSource = "none"
    quantized: bool = False


class PackedPiece(_Model):
    """One piece: `length` notes from `start` on in the shard of this number."""

    name: str
    corpus: str
    player: str
    title: str
    split: Split
    shard: int = Field(default=0, ge=0)
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
    shards: tuple[_ShardName, ...] = ("notes.npy",)
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
    shard_notes: int = SHARD_NOTES,
) -> PackReport:
    """Pack pieces into a folder, whole or not at all; the notes of one shard at a time are in memory.

    Args:
        pieces: Pieces and broken files, as corpus readers yield them. Pieces without notes count as broken.
        out: The folder. A packed corpus already there is replaced; anything else there is an error.
        licences: The licence of each corpus by name; "unstated" for those not named.
        min_style_notes: Fewest training notes for which a player gets a style.
        shard_notes: Most notes in a shard, unless one piece has more.

    Raises:
        CorpusError: if there are no pieces, one comes twice, the chords of one corpus have several sources,
            some of its pieces are quantized and others not, or the folder cannot be written.
    """
    out = Path(out)
    check_target(out)
    try:
        with whole_folder(out) as new:
            packed = _Packed(ShardWriter(new, shard_notes))
            for piece in pieces:
                packed.add(piece)
            if not packed.pieces:
                raise CorpusError(
                    f"{out.name}: no piece could be read ({len(packed.broken)} broken); check the sources"
                )
            index = packed.finished(licences or {}, min_style_notes)
            (new / _INDEX_FILE).write_text(index.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise CorpusError(
            f"{out}: cannot be written ({error.strerror}); check that its folder is writable and has space"
        ) from error
    return PackReport(out, packed.counts(), index.styles, tuple(packed.broken))


@dataclass(frozen=True)
class PackedCorpus:
    """A packed corpus opened for reading.

    Attributes:
        path: Its folder.
        index: Its pieces and styles.
        shards: The notes, arrays of `NOTE_DTYPE` of shape (n,), memory-mapped and read-only.
    """

    path: Path
    index: PackedIndex
    shards: Sequence[NDArray[np.void]]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a packed corpus; its notes are read from disk as they are used.

        Raises:
            CorpusError: if the folder is missing, damaged, or of another format version.
        """
        path = Path(path)
        recover_folder(path)
        index = _read_index(path / _INDEX_FILE)
        shards = MappedShards([path / name for name in index.shards])
        for piece in index.pieces:
            if piece.shard >= len(shards) or piece.start + piece.length > shards.lengths[piece.shard]:
                name = index.shards[piece.shard] if piece.shard < len(shards) else "its shards"
                raise CorpusError(f"{path / name}: is shorter than its index; prepare the corpus again")
        return cls(path, index, shards)

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
        return self.shards[piece.shard][piece.start : piece.start + piece.length]

    def style_id(self, player: str) -> int:
        """Return the style id of a player, given as a name or slug; 0 when there is no such style."""
        slug = style_slug(player)
        return 1 + self.index.styles.index(slug) if slug in self.index.styles else UNKNOWN_STYLE


def check_target(out: Path) -> None:
    """Refuse to replace a folder that is no packed corpus.

    Raises:
        CorpusError: if there is one.
    """
    recover_folder(out)
    if out.exists() and not (out / _INDEX_FILE).exists() and (not out.is_dir() or any(out.iterdir())):
        raise CorpusError(f"{out}: exists and is not a packed corpus; choose another folder")


def _styles(pieces: list[PackedPiece], min_notes: int) -> tuple[str, ...]:
    notes: Counter[str] = Counter()
    for piece in pieces:
        if piece.split == "train":
            notes[style_slug(piece.player)] += piece.length
    return tuple(sorted(slug for slug, count in notes.items() if slug and count >= min_notes))


class _Packed:
    """What is packed so far: shards on disk, the rest in memory."""

    def __init__(self, shards: ShardWriter) -> None:
        self._shards = shards
        self.pieces: list[PackedPiece] = []
        self.broken: list[BrokenFile] = []
        self._names: set[tuple[str, str]] = set()
        self._chords: dict[str, ChordSource] = {}
        self._quantized: dict[str, bool] = {}
        self._seconds: defaultdict[tuple[str, Split], float] = defaultdict(float)

    def add(self, piece: Piece | BrokenFile) -> None:
        """Pack the next piece."""
        if isinstance(piece, BrokenFile):
            self.broken.append(piece)
            return
        if (piece.corpus, piece.name) in self._names:
            raise CorpusError(
                f"{piece.corpus}: has {piece.name} twice; give each source once, under its own name"
            )
        self._names.add((piece.corpus, piece.name))
        if not len(piece.notes):
            self.broken.append(BrokenFile(piece.name, "has no notes"))
            return
        if self._chords.setdefault(piece.corpus, piece.chords) != piece.chords:
            raise CorpusError(
                f"{piece.corpus}: the chords of {piece.name} are {piece.chords}, those of other pieces "
                f"{self._chords[piece.corpus]}; give each kind a corpus of its own"
            )
        if self._quantized.setdefault(piece.corpus, piece.quantized) != piece.quantized:
            raise CorpusError(
                f"{piece.corpus}: has quantized and played pieces; give each kind a corpus of its own"
            )
        shard, start = self._shards.add(piece.notes)
        self.pieces.append(
            PackedPiece(
                name=piece.name,
                corpus=piece.corpus,
                player=piece.player,
                title=piece.title,
                split=piece.split,
                shard=shard,
                start=start,
                length=len(piece.notes),
                tempo=piece.tempo,
            )
        )
        self._seconds[piece.corpus, piece.split] += float(
            (piece.notes["onset"] + piece.notes["duration"]).max()
        )

    def finished(self, licences: Mapping[str, str], min_style_notes: int) -> PackedIndex:
        """Write the last shard and return the index."""
        self._shards.finish()
        return PackedIndex(
            format_version=FORMAT_VERSION,
            shards=tuple(self._shards.files),
            corpora=tuple(
                CorpusInfo(
                    name=name,
                    licence=licences.get(name, "unstated"),
                    chords=self._chords[name],
                    quantized=self._quantized[name],
                )
                for name in sorted(self._chords)
            ),
            styles=_styles(self.pieces, min_style_notes),
            pieces=tuple(self.pieces),
            broken=tuple(SkippedFile(path=file.path, reason=file.reason) for file in self.broken),
        )

    def counts(self) -> tuple[SplitCount, ...]:
        """Count the pieces by corpus and side."""
        pieces = Counter((piece.corpus, piece.split) for piece in self.pieces)
        notes: Counter[tuple[str, Split]] = Counter()
        for piece in self.pieces:
            notes[piece.corpus, piece.split] += piece.length
        return tuple(
            SplitCount(name, side, pieces[name, side], notes[name, side], self._seconds[name, side] / 3600)
            for name in sorted(self._chords)
            for side in get_args(Split)
            if pieces[name, side]
        )


def _read_index(path: Path) -> PackedIndex:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorpusError(f"{path.parent}: is not a packed corpus; run `tatumflow data prepare`") from None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read; prepare the corpus again") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if version not in range(_OLDEST_VERSION, FORMAT_VERSION + 1):
        raise CorpusError(
            f"{path}: has format {version}, this program reads {_OLDEST_VERSION} to {FORMAT_VERSION}; "
            "prepare the corpus again"
        )
    try:
        return PackedIndex.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        raise CorpusError(f"{path}: {place}: {reason}; prepare the corpus again") from error
