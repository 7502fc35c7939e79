"""Recording stems to sound files, on a thread of its own."""

import itertools
import queue
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from tatumflow.engine.errors import AudioFileError
from tatumflow.live.notices import Notify

_SIDES: Final = 2
_MOST_WAITING: Final = 2000
_GAP_SECONDS: Final = 0.1
_LONGEST_GAP_SECONDS: Final = 60.0
_PATIENCE: Final = 10.0
_SAVE_SECONDS: Final = 5.0


def free_folder(folder: Path) -> Path:
    """Return this folder, or the first of "name 2", "name 3" and so on that does not exist."""
    names = itertools.chain([folder], (folder.with_name(f"{folder.name} {n}") for n in itertools.count(2)))
    return next(candidate for candidate in names if not candidate.exists())


class StemRecorder:
    """Writes each stem to a WAV file of 32-bit floats, on a thread of its own.

    The files are closed and opened again every few seconds, so that a crash loses no more than those. Where
    stems are missing there is silence, so that the files stay beside what else was recorded. A file
    that cannot be written ends the recording with one notice; everything else goes on.

    Attributes:
        folder: Where the files are: in the user's temporary folder where the requested one cannot be written.
    """

    def __init__(self, folder: Path, names: Sequence[str], rate: int, notify: Notify) -> None:
        """Begin; the files are made when the first stems come.

        Args:
            folder: Made if it is not there; a file of a stem's name in it is replaced.
            names: Of the stems.
            rate: Samples a second.
            notify: Takes notices for the user.
        """
        self.folder = folder
        self.names = tuple(names)
        self._rate = rate
        self._notify = notify
        self._failed = False
        self._written = self._saved = 0
        self._start: float | None = None
        # None for the end.
        self._queue: queue.SimpleQueue[tuple[NDArray[np.float32], float] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="stem recorder", daemon=True)
        self._thread.start()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, one for each stem."""
        return tuple(self.folder / f"{name}.wav" for name in self.names)

    @property
    def failed(self) -> bool:
        """Whether the recording has ended because it could not be written."""
        return self._failed

    @property
    def seconds(self) -> float:
        """How much has been written."""
        return self._written / self._rate

    def write(self, stems: NDArray[np.float32], time: float) -> None:
        """Queue stems, (s, 2, n), not to be changed afterwards, that began at `time` seconds; never waits."""
        if not self._failed and self._queue.qsize() < _MOST_WAITING:
            self._queue.put((stems, time))

    def close(self) -> None:
        """Write what waits, and close the files."""
        self._queue.put(None)
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        try:
            with ExitStack() as stack:
                files: list[soundfile.SoundFile] = []
                while (item := self._queue.get()) is not None:
                    if not files:
                        files = self._first_opened(stack)
                    elif self._written - self._saved > _SAVE_SECONDS * self._rate:
                        self._saved = self._written
                        # The length of a file is written only when it is closed.
                        stack.close()
                        files = [stack.enter_context(_opened_again(path)) for path in self.paths]
                    self._write(files, *item)
        except (OSError, soundfile.SoundFileError, AudioFileError) as error:
            self._failed = True
            self._notify(f"{self.folder}: stems not recorded ({error}); check folder and disk", "warning")

    def _first_opened(self, stack: ExitStack) -> list[soundfile.SoundFile]:
        """Open the files in the folder, or in a temporary one where that cannot be written to."""
        try:
            return self._made(stack)
        except (OSError, soundfile.SoundFileError) as error:
            requested = self.folder
            self.folder = Path(tempfile.mkdtemp(prefix="tatumflow-")) / requested.name
            files = self._made(stack)
            self._notify(
                f"{requested}: stems cannot be recorded there ({error}); they go to {self.folder} instead",
                "warning",
            )
            return files

    def _made(self, stack: ExitStack) -> list[soundfile.SoundFile]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return [stack.enter_context(self._opened(path)) for path in self.paths]

    def _opened(self, path: Path) -> soundfile.SoundFile:
        return soundfile.SoundFile(path, "w", self._rate, _SIDES, format="WAV", subtype="FLOAT")

    def _write(self, files: list[soundfile.SoundFile], stems: NDArray[np.float32], time: float) -> None:
        if self._start is None:
            self._start = time
        gap = time - self._start - self._written / self._rate
        if gap > _GAP_SECONDS:
            silence = np.zeros((round(min(gap, _LONGEST_GAP_SECONDS) * self._rate), _SIDES), np.float32)
            for file in files:
                write_whole(file, silence)
            self._written += len(silence)
            # A longer one is cut.
            self._start += max(gap - _LONGEST_GAP_SECONDS, 0.0)
        for file, stem in zip(files, stems, strict=True):
            write_whole(file, stem.T)
        self._written += stems.shape[-1]


def write_whole(file: soundfile.SoundFile, samples: NDArray[np.float32]) -> None:
    """Write samples, shape (n, 2).

    Raises:
        AudioFileError: if fewer were written, as on a full disk, which libsndfile reports in no other way.
    """
    before = file.tell()
    # soundfile asserts that all was written; an option of Python's turns asserts off.
    with suppress(AssertionError):
        file.write(samples)
    written = file.tell() - before
    if written != len(samples):
        raise AudioFileError(f"{written} of {len(samples)} samples written; the disk is full")


def _opened_again(path: Path) -> soundfile.SoundFile:
    file = soundfile.SoundFile(path, "r+")
    file.seek(0, soundfile.SEEK_END)
    return file
