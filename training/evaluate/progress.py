"""Display of the progress of a long command, on standard error."""

import sys
import time
from typing import Final, TextIO

_SECONDS_BETWEEN: Final = 20.0


class Progress:
    """Display of the current part: one line that changes on a terminal, elsewhere a line every 20 s."""

    def __init__(self, stream: TextIO | None = None, command: str = "evaluate") -> None:
        """Write to `stream`, standard error by default, in the name of a command."""
        self._stream = stream or sys.stderr
        self._command = command
        self._begun = self._shown_at = time.monotonic()
        self._part = ""

    def begin(self, part: str) -> None:
        """Show that a part begins; later updates belong to it."""
        self._part = part
        self._show(part, always=True)

    def update(self, detail: str) -> None:
        """Show how far the part is."""
        self._show(f"{self._part}: {detail}", always=False)

    def end(self) -> None:
        """End the line on a terminal."""
        if self._stream.isatty():
            print(file=self._stream)

    def _show(self, text: str, *, always: bool) -> None:
        now = time.monotonic()
        line = f"{self._command} {now - self._begun:5.0f} s  {text}"
        if self._stream.isatty():
            print(f"\r{line[:110]:<110}", end="", file=self._stream, flush=True)
        elif always or now - self._shown_at >= _SECONDS_BETWEEN:
            self._shown_at = now
            print(line, file=self._stream, flush=True)
