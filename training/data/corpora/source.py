"""Sources of corpora: a folder, or the archive it is published as."""

import hashlib
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import Split

_VALIDATION_SHARE: Final = 0.1
_ARCHIVE_SUFFIXES: Final = (".tar", ".tar.xz", ".tar.gz", ".tgz", ".txz", ".tar.bz2")


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
    if not source.name.endswith(_ARCHIVE_SUFFIXES):
        raise CorpusError(f"{source.name}: is neither a folder nor a tar archive; give one of these")
    with tempfile.TemporaryDirectory(prefix="tatumflow-") as folder:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(folder, filter="data")
        except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
            reason = str(error).splitlines()[0].rstrip(":")
            raise CorpusError(f"{source.name}: cannot be extracted ({reason}); download it again") from error
        inside = list(Path(folder).iterdir())
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else Path(folder)


def seeded_split(key: str, seed: int) -> Split:
    """Return the side of the split for a key, the validation side for about one in ten.

    The side depends on the key and the seed alone, so files added later change no other's side.
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return "val" if int.from_bytes(digest[:8], "big") < _VALIDATION_SHARE * 2**64 else "train"
