"""Links to MIDI files and archives: lists of them, and downloads that go on where they were interrupted."""

import hashlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from tatumflow.engine.errors import CorpusError, DownloadError
from tatumflow.training.data.collect.names import safe_name

TIMEOUT_SECONDS: Final = 30.0
"""Seconds without a byte after which a server counts as unreachable."""

_CHUNK: Final = 1 << 18
_FIELDS: Final = ("title", "player", "licence")
_AGAIN: Final = "run the command again to go on; what has arrived is kept"


@dataclass(frozen=True)
class Link:
    """An address, and what its list says of the music there."""

    url: str
    title: str = ""
    player: str = ""
    licence: str = ""


def read_links(path: Path) -> list[Link]:
    """Read a text file of links, one a line, each once; "#" begins a comment.

    A link may be followed by title, player and licence: `https://… player="Art Tatum" licence=CC0`. Those of
    an archive are of all its files.

    Raises:
        CorpusError: if it cannot be read, or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read as a list of links ({error}); give a text file") from error
    links: dict[str, Link] = {}
    for number, line in enumerate(lines, 1):
        try:
            words = shlex.split(line, comments=line.lstrip().startswith("#"))
        except ValueError as error:
            raise CorpusError(f"{path}: line {number}: {error}; close the quotes") from None
        if not words:
            continue
        given = {name: value for name, _, value in (word.partition("=") for word in words[1:])}
        url = urlsplit(words[0])
        if url.scheme not in ("http", "https") or not url.hostname:
            raise CorpusError(f"{path}: line {number}: {words[0]!r} is no http or https address; correct it")
        if not set(given) <= set(_FIELDS):
            raise CorpusError(
                f"{path}: line {number}: write {', '.join(f'{name}=…' for name in _FIELDS)} after a link"
            )
        links.setdefault(words[0], Link(words[0], **given))
    return list(links.values())


def download(url: str, folder: Path, most: int) -> Path:
    """Download a file into a folder, or return it if it is there whole.

    An interrupted download goes on where it was if the server allows that and its file has not changed since.

    Args:
        url: The address, http or https.
        folder: The folder.
        most: Largest size in bytes.

    Raises:
        DownloadError: if it cannot be reached, is larger, comes incomplete, or the disk is full.
    """
    name = Path(unquote(urlsplit(url).path)).name
    done = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]} {safe_name(name) or 'file'}"
    if done.is_file():
        return done
    partial = done.with_name(done.name + ".part")
    # Which version of the file the partial one is of, as the server states it.
    version = done.with_name(done.name + ".version")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _receive(url, partial, version, most)
        partial.replace(done)
        version.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be written ({error.strerror}); check rights and space"
        ) from error
    return done


def _receive(url: str, partial: Path, version: Path, most: int) -> None:
    known = version.read_text(encoding="utf-8") if version.is_file() else ""
    size = partial.stat().st_size if known and partial.is_file() else 0
    with _answering(url):
        response = _open(url, size, known)
    with response:
        resumed = response.status == HTTPStatus.PARTIAL_CONTENT
        arrived = size if resumed else 0
        length = response.headers.get("Content-Length")
        whole = arrived + int(length) if length and length.isdigit() else None
        _check_size(url, whole or 0, most)
        if not resumed:
            version.write_text(_version(response), encoding="utf-8")
        with partial.open("ab" if resumed else "wb") as target:
            while True:
                with _answering(url):
                    chunk = response.read(_CHUNK)
                if not chunk:
                    break
                arrived += len(chunk)
                _check_size(url, arrived, most)
                target.write(chunk)
    if whole is not None and arrived != whole:
        raise DownloadError(f"{url}: {arrived:,} of {whole:,} bytes came; {_AGAIN}")


def _open(url: str, size: int, version: str) -> HTTPResponse:
    headers = {"User-Agent": "tatumflow"}
    if size:
        headers |= {"Range": f"bytes={size}-", "If-Range": version}
    try:
        return urlopen(Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if not size or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        return _open(url, 0, "")


def _version(response: HTTPResponse) -> str:
    """Return what `If-Range` takes: a strong tag, else the time of change; empty where there is neither."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _check_size(url: str, size: int, most: int) -> None:
    if size > most:
        raise DownloadError(f"{url}: is larger than {most >> 20} MB; raise --most-megabytes if it is wanted")


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Turn the failures of a server into expected errors."""
    try:
        yield
    except HTTPError as error:
        with suppress(OSError):
            error.close()
        raise DownloadError(f"{url}: error {error.code} ({error.reason}); check the link") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url}: cannot be reached ({reason}); {_AGAIN}") from None
