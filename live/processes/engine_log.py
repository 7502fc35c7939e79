"""The file that takes what the engine process and the C libraries in it print, and how large it may grow."""

import os
from pathlib import Path
from typing import Final

from platformdirs import user_log_path

MOST_BYTES: Final = 1_000_000
"""Size at which the log is moved aside and begun again; the one before is kept as `NAME.1`."""

_STDERR: Final = 2


def log_path() -> Path:
    """Return the file that takes what the engine process and the C libraries in it print."""
    return user_log_path("tatumflow", appauthor=False) / "engine.log"


class EngineLog:
    """Standard error of this process as a file: output of any library, and tracebacks."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        """Send standard error to `path`; where that cannot be written, to nowhere."""
        self._path = path
        self._most_bytes = most_bytes
        self._written = self._begin()

    def limit(self) -> None:
        """Begin the file again if it has grown too large. Cheap enough to be called every second."""
        if not self._written or os.fstat(_STDERR).st_size <= self._most_bytes:
            return
        try:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError:
            # Windows moves no open file: what it holds is dropped instead.
            os.ftruncate(_STDERR, 0)
            return
        self._written = self._begin()

    def _begin(self) -> bool:
        """Open the file anew as standard error; return whether it could be opened."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            log = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
            written = True
        except OSError:
            log, written = os.open(os.devnull, os.O_WRONLY), False
        os.dup2(log, _STDERR)
        os.close(log)
        return written
