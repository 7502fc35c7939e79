"""Regular files only: a device, a pipe or a socket is neither read endlessly nor replaced by a file."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError

_KINDS: Final[tuple[tuple[Callable[[int], bool], str], ...]] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a regular file; symbolic links are followed.

    Args:
        path: The file.
        most: Largest size in bytes.

    Raises:
        OSError: if it is missing, is no regular file, is larger, or cannot be read; `strerror` states which.
    """
    # Opening a pipe would wait for a writer, so the kind is checked first.
    _refuse_other_kinds(path, path.stat().st_mode)
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {_size(most)}", str(path))
    return data


def output_target(path: Path) -> Path:
    """Return the file that is written for `path`: the target of its symbolic links, existing or not.

    Raises:
        OSError: if something other than a regular file is there; `strerror` states what.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    _refuse_other_kinds(path, mode)
    return target


def check_output(path: Path, *, makes_folder: bool = False) -> None:
    """Refuse an output that cannot be a file, before the work for it is done.

    Args:
        path: The file to write.
        makes_folder: Whether its folder is made where it does not exist.

    Raises:
        SettingError: if its folder does not exist, or `path` is a folder, device, pipe or socket.
    """
    target = Path(os.path.realpath(path))
    if not makes_folder and not target.parent.is_dir():
        raise SettingError(f"{path}: the folder {target.parent} does not exist; make it first")
    try:
        output_target(path)
    except OSError as error:
        raise SettingError(f"{path}: cannot be written ({error.strerror}); give the name of a file") from None


def _refuse_other_kinds(path: Path, mode: int) -> None:
    for is_kind, kind in _KINDS:
        if is_kind(mode):
            raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))


def _size(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} kB"
