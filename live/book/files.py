"""Files of charts in any format that is read: by their content first, then by their suffix."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import ChartError
from tatumflow.engine.files.regular_file import read_regular
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.live.book.improvisor import read_leadsheet
from tatumflow.live.book.ireal_links import LONGEST_SOURCE, has_link, read_links
from tatumflow.live.book.ireal_music import read_linked_tune
from tatumflow.live.book.midi_markers import read_markers
from tatumflow.live.book.music_xml import read_score
from tatumflow.live.book.tunes import ReadFile, ReadTune, Unread

SUFFIXES: Final = (
    *(".html", ".htm", ".txt", ".irealb", ".irealbook", ".url", ".webloc"),
    *(".musicxml", ".xml", ".mxl", ".ls", ".mid", ".midi"),
)
"""Suffixes of files that a folder is searched for."""


def chart_files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files of a folder and the folders in it that may hold charts, by name."""
    if path.is_dir():
        yield from sorted(
            file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()
        )
    else:
        yield path


def read_file(path: Path) -> ReadFile:
    """Read the charts of a file.

    Raises:
        ChartError: if it cannot be read, or holds no chart; names the file.
    """
    try:
        return read_content(read_regular(path, LONGEST_SOURCE), path.stem, path.suffix.lower())
    except OSError as error:
        raise ChartError(f"{path}: cannot be read ({error.strerror}); give a file of charts") from None
    except ChartError as error:
        raise ChartError(f"{path}: {error}") from None


def read_content(data: bytes, name: str = "", suffix: str = "") -> ReadFile:
    """Read charts from the content of a file.

    Args:
        data: The content.
        name: The title of a chart that has none.
        suffix: Of the file, with its point, in lower case.

    Raises:
        ChartError: if it holds no chart.
    """
    if data.startswith(b"MThd") or suffix in (".mid", ".midi"):
        return ReadFile((read_markers(data, name),))
    if data.startswith(b"PK") or suffix in (".mxl", ".musicxml"):
        return ReadFile((read_score(data, name),))
    text = _decoded(data)
    if has_link(text):
        return read_ireal(text)
    if suffix == ".xml" or text.lstrip().startswith("<?xml"):
        return ReadFile((read_score(data, name),))
    if suffix == ".ls" or text.lstrip().startswith("(title"):
        return ReadFile((read_leadsheet(text, name),))
    return ReadFile((ReadTune(parse_chart(text, name=name)),))


def read_ireal(text: str) -> ReadFile:
    """Read every tune of the iReal Pro links in a text.

    Raises:
        ChartError: if it holds no link, or no tune of it can be read.
    """
    playlist = read_links(text)
    tunes: list[ReadTune] = []
    unread: list[Unread] = []
    for tune in playlist.tunes:
        try:
            tunes.append(read_linked_tune(tune))
        except ChartError as error:
            unread.append(Unread(tune.title, str(error)))
    if not tunes:
        raise ChartError(f"none of its tunes can be read: {unread[0].reason}")
    return ReadFile(tuple(tunes), tuple(unread), playlist.name)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
