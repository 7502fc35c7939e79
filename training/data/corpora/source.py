"""Sources of corpora: a folder, or the archive it is published as."""

import hashlib
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import BrokenFile, Piece, Split

_VALIDATION_SHARE: Final = 0.1
_ARCHIVE_SUFFIXES: Final = (".tar", ".tar.xz", ".tar.gz", ".tgz", ".txz", ".tar.bz2", ".zip")

LARGEST_EXTRACTED: Final = 64 << 30
"""Most bytes that an archive may extract to; a damaged or malicious one would fill the disk."""


@dataclass(frozen=True)
class CorpusFiles:
    """The files of a corpus, each of which is read by itself, in this process or in another.

    Attributes:
        corpus: Name of the corpus.
        licence: Licence of its data.
        names: What `Piece.name` is for each file.
        items: What `read` takes for each file.
        read: Reads one file. It can be pickled, as the items can.
    """

    corpus: str
    licence: str
    names: Sequence[str]
    items: Sequence[Any]
    read: Callable[[Any], Piece | BrokenFile]

    def __iter__(self) -> Iterator[Piece | BrokenFile]:
        return map(self.read, self.items)


def is_archive(source: Path) -> bool:
    """Return whether a file's name is that of an archive that can be extracted."""
    return source.name.lower().endswith(_ARCHIVE_SUFFIXES)


def corpus_name(source: Path) -> str:
    """Return the name of a corpus that states none: that of its folder or archive."""
    name = Path(source).resolve().name
    suffix = next((end for end in _ARCHIVE_SUFFIXES if name.lower().endswith(end)), "")
    return name.split(".tar")[0] if ".tar" in suffix else name.removesuffix(suffix)


@contextmanager
def open_source(source: Path) -> Iterator[Path]:
    """Yield the folder of a corpus; an archive is extracted to a temporary folder.

    When an archive holds one folder and nothing beside it, that folder is yielded.

    Raises:
        CorpusError: if the source does not exist or the archive cannot be extracted.
    """
    source = Path(source)
    if source.is_dir():
        yield source
        return
    if not source.exists():
        raise CorpusError(f"{source}: no such folder or archive; check the path")
    if not is_archive(source):
        raise CorpusError(f"{source.name}: is neither a folder nor a tar archive or zip; give one of these")
    with tempfile.TemporaryDirectory(prefix="tatumflow-") as folder:
        try:
            _extract(source, folder)
        except (
            *(OSError, EOFError, RuntimeError, tarfile.TarError, lzma.LZMAError, zlib.error),
            *(zipfile.BadZipFile, NotImplementedError),
        ) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
            raise CorpusError(f"{source.name}: cannot be extracted ({reason}); download it again") from error
        inside = list(Path(folder).iterdir())
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else Path(folder)


def _extract(source: Path, folder: str) -> None:
    """Extract an archive; nothing of it is written outside the folder."""
    if source.suffix.lower() == ".zip":
        with zipfile.ZipFile(source) as archive:
            _check_size(sum(info.file_size for info in archive.infolist()))
            archive.extractall(folder)
        return
    with tarfile.open(source) as archive:
        size = 0
        for member in archive:
            size += member.size
            _check_size(size)
            archive.extract(member, folder, filter="data")


def _check_size(size: int) -> None:
    if size > LARGEST_EXTRACTED:
        raise OSError(f"it would extract to more than {LARGEST_EXTRACTED >> 30} GB")


def seeded_split(key: str, seed: int) -> Split:
    """Return the side of the split for a key, the validation side for about one in ten.

    The side depends on the key and the seed alone, so files added later change no other's side.
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return "val" if int.from_bytes(digest[:8], "big") < _VALIDATION_SHARE * 2**64 else "train"
