"""A corpus made by `tatumflow data collect`: MIDI files, and what is known of them in `metadata.json`."""

from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tatumflow.engine.errors import CorpusError, MidiFileError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.training.data.corpora.note_array import from_notes
from tatumflow.training.data.corpora.piece import BrokenFile, Piece, Split
from tatumflow.training.data.corpora.source import CorpusFiles

METADATA: Final = "metadata.json"
FORMAT_VERSION: Final = 1


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CollectedFile(_Model):
    """A MIDI file of the corpus.

    Attributes:
        file: Its path in the corpus.
        source: Where it was found: a link, or a path, in an archive after a colon.
        sha256: Hash of its bytes, 64 hexadecimal digits.
        title: Title; the name of the file where none was given.
        player: Player; empty when unknown.
        licence: Licence, as it was given; empty when unknown.
        notes: Number of notes on the piano's range.
        seconds: From the first onset to the last note's end.
        lowest: Lowest MIDI pitch.
        highest: Highest MIDI pitch.
        tempo: Beats per minute of its first tempo event; None where there is none.
        piece: Key of its piece: all files with the same are on one side of the split.
        split: Its side.
        duplicate_of: The file with the same notes, where duplicates are kept; else empty.
    """

    file: str
    source: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    title: str
    player: str = ""
    licence: str = ""
    notes: int = Field(gt=0)
    seconds: float = Field(gt=0)
    lowest: int = Field(ge=0, le=127)
    highest: int = Field(ge=0, le=127)
    tempo: float | None = Field(default=None, gt=0)
    piece: str
    split: Split = "train"
    duplicate_of: str = ""

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, file: str) -> str:
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise ValueError("must lie in the corpus")
        return file


class LeftOut(_Model):
    """A file whose notes another file of the corpus has.

    Attributes:
        source: Where it was found.
        same_as: The file of the corpus.
        kind: What they have in common.
        semitones: How much higher it is.
        tempo_ratio: How much faster it is.
    """

    source: str
    same_as: str
    kind: str
    semitones: int = 0
    tempo_ratio: float = 1.0


class Broken(_Model):
    """A file that is no music to train on, and why. It was left where it was."""

    source: str
    reason: str


class Metadata(_Model):
    """What is known of a collected corpus.

    Attributes:
        format_version: Version of this format.
        seed: Seed of the split.
        files: The files, by their paths.
        duplicates: The files left out because another one has their notes.
        broken: The files and links that could not be used.
    """

    format_version: int = FORMAT_VERSION
    seed: int = 0
    files: tuple[CollectedFile, ...] = ()
    duplicates: tuple[LeftOut, ...] = ()
    broken: tuple[Broken, ...] = ()


def read_collected(folder: Path) -> Metadata:
    """Read what is known of a collected corpus.

    Raises:
        CorpusError: if the folder holds none, or one that is damaged or of another version.
    """
    path = Path(folder) / METADATA
    try:
        metadata = Metadata.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise CorpusError(f"{folder}: has no {METADATA}; make one with `tatumflow data collect`") from None
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}); check its rights") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise CorpusError(f"{path}: {place}: {reason}; correct it, or collect the corpus again") from error
    if metadata.format_version != FORMAT_VERSION:
        raise CorpusError(
            f"{path}: has format {metadata.format_version}, this program reads {FORMAT_VERSION}; collect anew"
        )
    return metadata


def collected_files(folder: Path, corpus: str) -> CorpusFiles:
    """List the files of a collected corpus, on the sides of its split.

    Raises:
        CorpusError: if its metadata cannot be read.
    """
    metadata = read_collected(folder)
    licences = sorted({file.licence for file in metadata.files if file.licence})
    unstated = any(not file.licence for file in metadata.files)
    return CorpusFiles(
        corpus,
        ", ".join([*licences, *(["unstated"] if unstated else [])]) or "unstated",
        [file.file for file in metadata.files],
        metadata.files,
        partial(_read_file, folder, corpus),
    )


def _read_file(folder: Path, corpus: str, file: CollectedFile) -> Piece | BrokenFile:
    try:
        performance = read_midi(folder / file.file)
    except MidiFileError as error:
        return BrokenFile(file.file, str(error))
    return Piece(
        name=file.file,
        corpus=corpus,
        player=file.player,
        title=file.title,
        split=file.split,
        notes=from_notes(performance.notes),
        tempo=performance.tempo,
    )
