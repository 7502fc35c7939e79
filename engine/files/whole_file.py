"""Atomic writing of files and folders: at every moment the old one or the new one is there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tatumflow.engine.files.regular_file import output_target


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of `path` when the block ends without an error.

    Where `path` is a symbolic link, the file it leads to is replaced and the link stays.

    Raises:
        OSError: if the file cannot take its place, or something other than a file is there.
    """
    target = output_target(path)
    partial = _beside(target, "part")
    try:
        yield partial
        if target.exists():
            with suppress(OSError):
                shutil.copymode(target, partial)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all; see `whole_file`."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to write to; it takes the place of `path` when the block ends without an error.

    A folder cannot replace another in one step, so the old one waits beside it under the name of
    `set_aside(path)` for a moment. Whatever interrupts that moment, the old one comes back: at once, or when
    `recover_folder` is next called.

    Raises:
        OSError: if the folder cannot take its place.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    recover_folder(target)
    partial = _beside(target, "part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        yield partial
        _exchange(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def recover_folder(path: Path) -> None:
    """Put back the old folder that an interrupted exchange left beside `path`, if `path` is missing.

    Call it before `path` is looked at. Where the file system is read-only, nothing happens.
    """
    target = Path(os.path.realpath(path))
    with suppress(OSError):
        if not target.exists():
            set_aside(target).rename(target)


def recover_folders(parent: Path, marker: str) -> None:
    """Do what `recover_folder` does for every folder within `parent` that holds a file named `marker`."""
    for found in parent.glob(f".*.old/{marker}"):
        recover_folder(parent / found.parent.name.removeprefix(".").removesuffix(".old"))


def set_aside(path: Path) -> Path:
    """Return the name that the folder `path` has while another takes its place."""
    target = Path(os.path.realpath(path))
    return target.with_name(f".{target.name}.old")


def _exchange(new: Path, target: Path) -> None:
    old = set_aside(target)
    if target.exists():
        # An exchange that was interrupted after its second step left one; the newer one is in place.
        _remove(old)
    try:
        if target.exists():
            target.rename(old)
        new.rename(target)
    except BaseException:
        recover_folder(target)
        raise
    _remove(old)


def _remove(old: Path) -> None:
    """Remove a folder that was set aside, never leaving a part of it under that name."""
    doomed = _beside(old, "part")
    with suppress(OSError):
        old.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name.removeprefix('.')}.{os.getpid()}.{suffix}")
