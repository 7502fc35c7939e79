"""A folder of MIDI files as a corpus."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import MidiFileError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.training.data.corpora.note_array import from_notes
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.corpora.source import CorpusFiles, corpus_name, open_source, seeded_split

LICENCE: Final = "unstated"
_SUFFIXES: Final = (".mid", ".midi")


def is_midi(path: Path) -> bool:
    """Return whether a file's name is that of a MIDI file."""
    return path.suffix.lower() in _SUFFIXES


def midi_files(folder: Path) -> list[Path]:
    """Return the MIDI files of a folder at any depth, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if is_midi(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def read_midi_folder(
    source: Path, player: str | None = None, seed: int = 0, corpus: str | None = None
) -> Iterator[Piece | BrokenFile]:
    """Read every MIDI file of a folder, split by file, about a tenth in val.

    Args:
        source: The folder, or an archive of it.
        player: Player of all files; by default the name of each file's folder, or the corpus's name for files
            directly in `source`.
        seed: Seed of the validation split.
        corpus: The corpus's name; by default that of the source.

    Raises:
        CorpusError: if the source cannot be opened.
    """
    with open_source(source) as folder:
        yield from midi_folder_files(folder, player, seed, corpus or corpus_name(source))


def midi_folder_files(folder: Path, player: str | None, seed: int, corpus: str) -> CorpusFiles:
    """List the MIDI files of a folder; see `read_midi_folder`."""
    names = [path.relative_to(folder).as_posix() for path in midi_files(folder)]
    return CorpusFiles(corpus, LICENCE, names, names, partial(_read_file, folder, player, seed, corpus))


def _read_file(folder: Path, player: str | None, seed: int, corpus: str, name: str) -> Piece | BrokenFile:
    path = folder / name
    parent = corpus if path.parent == folder else path.parent.name
    try:
        performance = read_midi(path)
    except MidiFileError as error:
        return BrokenFile(name, str(error))
    return Piece(
        name=name,
        corpus=corpus,
        player=parent if player is None else player,
        title=path.stem,
        split=seeded_split(name, seed),
        notes=from_notes(performance.notes),
        tempo=performance.tempo,
    )
