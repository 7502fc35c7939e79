"""Gathering: the MIDI files of links, folders and archives, each with what is known of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import CorpusError, DownloadError
from tatumflow.training.data.collect.download import Link, download, read_links
from tatumflow.training.data.corpora.collected import Broken
from tatumflow.training.data.corpora.midi_folder import is_midi, midi_files
from tatumflow.training.data.corpora.source import is_archive, open_source

_LIST_SUFFIXES: Final = (".txt", ".urls", ".list")


@dataclass(frozen=True)
class Found:
    """A MIDI file, there until the next one is asked for.

    Attributes:
        path: Where it can be read.
        source: Where it was found: a link or a path; within an archive, its name after a colon.
        title: Its title.
        player: Its player; empty when unknown.
        licence: Its licence; empty when unknown.
    """

    path: Path
    source: str
    title: str
    player: str
    licence: str


def gather(
    sources: Sequence[Path], downloads: Path, most_bytes: int, player: str | None = None, licence: str = ""
) -> Iterator[Found | Broken]:
    """Yield the MIDI files of sources, in a fixed order, and what could not be read or downloaded.

    Args:
        sources: Text files of links, folders, archives, or MIDI files.
        downloads: Folder in which downloads are kept.
        most_bytes: Largest download.
        player: Player of all files for which a list of links states none; by default the name of each file's
            folder.
        licence: Licence of all files for which a list states none.

    Raises:
        CorpusError: if a source does not exist or is a damaged archive or list.
    """
    for source in map(Path, sources):
        if source.suffix.lower() in _LIST_SUFFIXES:
            for link in read_links(source):
                yield from _linked(link, downloads, most_bytes, player, licence)
        elif is_midi(source) and source.is_file():
            yield Found(source, str(source), source.stem, player or "", licence)
        else:
            yield from _inside(source, str(source), player, licence)


def _linked(
    link: Link, downloads: Path, most_bytes: int, player: str | None, licence: str
) -> Iterator[Found | Broken]:
    player, licence = link.player or player, link.licence or licence
    try:
        path = download(link.url, downloads, most_bytes)
    except DownloadError as error:
        yield Broken(source=link.url, reason=str(error))
        return
    if is_archive(path):
        try:
            yield from _inside(path, link.url, player, licence)
        except CorpusError as error:
            yield Broken(source=link.url, reason=str(error))
    else:
        title = link.title or path.stem.partition(" ")[2]
        yield Found(path, link.url, title, player or "", licence)


def _inside(source: Path, name: str, player: str | None, licence: str) -> Iterator[Found | Broken]:
    """Yield the files in a folder or archive, and in it of archives too."""
    with open_source(source) as folder:
        for path in midi_files(folder):
            within = path.relative_to(folder).as_posix()
            label = f"{name}/{within}" if source.is_dir() else f"{name}:{within}"
            own = player if player is not None else "" if path.parent == folder else path.parent.name
            yield Found(path, label, path.stem, own, licence)
        if source.is_dir():
            for path in sorted(path for path in folder.rglob("*") if is_archive(path) and path.is_file()):
                try:
                    yield from _inside(path, f"{name}/{path.relative_to(folder).as_posix()}", player, licence)
                except CorpusError as error:
                    yield Broken(source=str(path), reason=str(error))
