"""Downloads over HTTPS that go on where they were interrupted, and are used only if their hash is right."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tatumflow.engine.errors import DownloadError

TIMEOUT_SECONDS: Final = 30.0
"""Seconds without a byte after which a server counts as unreachable."""

_CHUNK: Final = 1 << 18
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_AGAIN: Final = "check the connection and run the command again; what has arrived is kept"

Progress = Callable[[int], None]
"""Receives the number of bytes that have arrived since the last call."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to download.

    Attributes:
        url: Its address.
        sha256: Its hash, 64 hexadecimal digits.
        bytes: Its length.
    """

    url: str
    sha256: str
    bytes: int


class NotFoundError(DownloadError):
    """An address at which there is nothing, or nothing that is public."""


def check_endpoint(endpoint: str) -> str:
    """Return a server's address without a slash at its end.

    Raises:
        DownloadError: if it is neither HTTPS nor this machine.
    """
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DownloadError(f"HF_ENDPOINT: {endpoint!r} is no https address; correct or unset it")
    return endpoint.rstrip("/")


def fetch_text(url: str, most: int) -> bytes:
    """Return the content of a small file of at most `most` bytes.

    Raises:
        NotFoundError: if there is none, or it is not public.
        DownloadError: if the server cannot be reached, or the file is longer.
    """
    with _reading(url), _open(url) as response:
        content = response.read(most + 1)
    if len(content) > most:
        raise DownloadError(f"{url}: longer than {most >> 10} kB, and no manifest; give another repository")
    return content


def fetch_file(file: RemoteFile, folder: Path, progress: Progress = lambda _: None) -> Path:
    """Download a file into a folder under its hash as name, or return the one that is there.

    Raises:
        NotFoundError: if there is none, or it is not public.
        DownloadError: if the server cannot be reached, the file differs from its hash, or the disk is full.
    """
    done, partial = folder / file.sha256, folder / f"{file.sha256}.part"
    try:
        if done.is_file() and _digest(done) == file.sha256:
            progress(file.bytes)
            return done
        folder.mkdir(parents=True, exist_ok=True)
        size = partial.stat().st_size if partial.is_file() else 0
    except OSError as error:
        raise _disk_error(folder, error) from None
    if size < file.bytes:
        _receive(file, partial, size, progress)
    try:
        if partial.stat().st_size != file.bytes or _digest(partial) != file.sha256:
            partial.unlink()
            raise DownloadError(f"{file.url}: its hash differs from the manifest's; it is not used")
        partial.replace(done)
    except OSError as error:
        raise _disk_error(folder, error) from None
    return done


def _receive(file: RemoteFile, partial: Path, size: int, progress: Progress) -> None:
    """Append what is missing to the partial file; a server without ranges sends all of it anew."""
    with _reading(file.url), _open(file.url, size) as response:
        resumed = response.status == HTTPStatus.PARTIAL_CONTENT
        arrived = size if resumed else 0
        progress(arrived)
        try:
            with partial.open("ab" if resumed else "wb") as target:
                while arrived < file.bytes:
                    chunk = _read(response, min(_CHUNK, file.bytes - arrived), file.url)
                    if not chunk:
                        raise DownloadError(f"{file.url}: {arrived} of {file.bytes} bytes came; {_AGAIN}")
                    target.write(chunk)
                    arrived += len(chunk)
                    progress(len(chunk))
        except OSError as error:
            raise _disk_error(partial.parent, error) from None


def _read(response: HTTPResponse, size: int, url: str) -> bytes:
    """Read from a server; its failures are not those of the disk."""
    with _reading(url):
        return response.read(size)


def _open(url: str, first_byte: int = 0) -> HTTPResponse:
    """Open an address, from a byte on where the server can."""
    request = Request(url, headers={"User-Agent": "tatumflow"})
    if first_byte:
        request.add_header("Range", f"bytes={first_byte}-")
    token = os.environ.get("HF_TOKEN", "")
    if token:
        # Not passed on to the server of the files, which the Hub redirects to.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return urlopen(request, timeout=TIMEOUT_SECONDS)


@contextmanager
def _reading(url: str) -> Iterator[None]:
    """Turn the failures of a server into expected errors."""
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            raise NotFoundError(
                f"{url}: not found, or not public; check the name, or set HF_TOKEN to a token for it"
            ) from None
        raise DownloadError(f"{url}: error {error.code} ({error.reason}); try again later") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        host = urlsplit(url).netloc
        raise DownloadError(f"{host} cannot be reached ({reason}); {_AGAIN}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _disk_error(folder: Path, error: OSError) -> DownloadError:
    return DownloadError(f"{folder}: cannot be written ({error.strerror or error}); check disk and rights")
