"""The job of packing corpora: its chunks, and the folder where their parts wait for a run that resumes it."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.training.data.corpora import pijama
from tatumflow.training.data.corpora.beats import read_beat_tables
from tatumflow.training.data.corpora.readers import opened_files
from tatumflow.training.data.packing import FORMAT_VERSION
from tatumflow.training.data.prepare.parts import CHUNK_FILES, Chunk, Parts, is_whole

_FINGERPRINT: Final = "fingerprint"
_PART_VERSION: Final = 1


@dataclass(frozen=True)
class JobSettings:
    """What is packed, and how it is read.

    Attributes:
        sources: Folders or archives of corpora; see `opened_files`.
        player: Player of the MIDI files of plain folders.
        seed: Seed of the validation split of corpora without one.
        beats: Folders or archives of beat tables for PiJAMA; of two tables for one piece, the first counts.
    """

    sources: Sequence[Path]
    player: str | None = None
    seed: int = 0
    beats: Sequence[Path] = ()


@dataclass(frozen=True)
class Job:
    """A job with its sources open.

    Attributes:
        folder: Where the parts wait.
        chunks: The chunks, in the order of their pieces.
        licences: The licence of each corpus.
        waiting: The chunks without a part.
    """

    folder: Path
    chunks: tuple[Chunk, ...]
    licences: Mapping[str, str]
    waiting: tuple[Chunk, ...]

    @property
    def parts(self) -> Parts:
        """What the files were read as, once no chunk waits."""
        return Parts([chunk.part for chunk in self.chunks])

    @property
    def files_done(self) -> int:
        """Number of files in parts of an earlier run."""
        waiting = sum(len(chunk.items) for chunk in self.waiting)
        return sum(len(chunk.items) for chunk in self.chunks) - waiting

    def close(self) -> None:
        """Remove the parts, once they are packed."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def open_job(settings: JobSettings, out: Path) -> Iterator[Job]:
    """Open the sources and list their chunks; parts of an interrupted job of the same files are taken over.

    The parts wait in `.NAME.prepare` beside `out`. Whatever would change the result makes another job: other
    files, sizes or times of change, settings or formats.

    Raises:
        CorpusError: if a source cannot be read, or the folder not be written.
    """
    out = Path(os.path.realpath(out))
    folder = out.with_name(f".{out.name}.prepare")
    with ExitStack() as opened:
        fingerprint = _fingerprint(settings)
        _enter(folder, fingerprint, out)
        chunks: list[Chunk] = []
        licences: dict[str, str] = {}
        tables = {
            name: table
            for source in reversed(settings.beats)
            for name, table in read_beat_tables(Path(source))
        }
        for source in settings.sources:
            files = opened.enter_context(opened_files(source, settings.player, settings.seed))
            licences[files.corpus] = files.licence
            known = tables if files.corpus == pijama.CORPUS else {}
            for first in range(0, len(files.items), CHUNK_FILES):
                names = files.names[first : first + CHUNK_FILES]
                chunks.append(
                    Chunk(
                        folder / f"part-{len(chunks):06d}.npz",
                        files.items[first : first + CHUNK_FILES],
                        files.read,
                        {name: known[name] for name in names if name in known},
                    )
                )
        waiting = tuple(chunk for chunk in chunks if not is_whole(chunk.part))
        yield Job(folder, tuple(chunks), licences, waiting)


def _fingerprint(settings: JobSettings) -> str:
    digest = hashlib.sha256()
    digest.update(repr((FORMAT_VERSION, _PART_VERSION, CHUNK_FILES, settings.player, settings.seed)).encode())
    for kind, sources in (("corpus", settings.sources), ("beats", settings.beats)):
        for source in map(Path, sources):
            digest.update(repr((kind, str(source.resolve()))).encode())
            for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
                with suppress(OSError):
                    state = path.stat()
                    name = path.relative_to(source).as_posix()
                    digest.update(repr((name, state.st_size, state.st_mtime_ns)).encode())
    return digest.hexdigest()


def _enter(folder: Path, fingerprint: str, out: Path) -> None:
    """Make the folder of this job, or enter the one that an interrupted run of it has left."""
    try:
        if folder.is_dir() and _read(folder / _FINGERPRINT) == fingerprint:
            _remove_half_packed(out)
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_whole(folder / _FINGERPRINT, fingerprint)
    except OSError as error:
        raise CorpusError(
            f"{folder}: cannot be written ({error.strerror}); check that its folder is writable and has space"
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _remove_half_packed(out: Path) -> None:
    """Remove what a killed run has packed so far; its parts are still there."""
    for path in out.parent.glob(f".{out.name}.*.part"):
        process = path.name.removesuffix(".part").rpartition(".")[2]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(path, ignore_errors=True)
