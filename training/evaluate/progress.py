"""What a long command says on standard error while it runs."""

import sys
import time
from typing import Final, TextIO

_SECONDS_BETWEEN: Final = 20.0


class Progress:
    """Says what is under way: on a terminal in one line that changes, elsewhere a line now and then."""

    def __init__(self, stream: TextIO | None = None, command: str = "evaluate") -> None:
        """Write to `stream`, standard error by default, in the name of a command."""
        self._stream = stream or sys.stderr
        self._command = command
        self._begun = self._said = time.monotonic()
        self._part = ""

    def begin(self, part: str) -> None:
        """Say that a part begins; what is told after it belongs to it."""
        self._part = part
        self._say(part, always=True)

    def tell(self, detail: str) -> None:
        """Say how far the part is."""
        self._say(f"{self._part}: {detail}", always=False)

    def end(self) -> None:
        """Leave the line to others."""
        if self._stream.isatty():
            print(file=self._stream)

    def _say(self, text: str, *, always: bool) -> None:
        now = time.monotonic()
        line = f"{self._command} {now - self._begun:5.0f} s  {text}"
        if self._stream.isatty():
            print(f"\r{line[:110]:<110}", end="", file=self._stream, flush=True)
        elif always or now - self._said >= _SECONDS_BETWEEN:
            self._said = now
            print(line, file=self._stream, flush=True)
