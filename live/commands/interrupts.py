"""Handling of Ctrl+C: the first ends a command in order; repeated ones do not interrupt the ending."""

import atexit
import os
import signal
import time
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
"""Exit status of a command that was interrupted, as shells have it."""

_PATIENCE_SECONDS: Final = 2.0


class Interrupts:
    """The handler of SIGINT for a process that runs one command.

    Attributes:
        ending: Whether only the interpreter's own end is left, which nothing should interrupt. A Ctrl+C two
            seconds after the first then ends the process at once.
    """

    def __init__(self) -> None:
        """Handle nothing yet."""
        self.ending = False
        self._last: float | None = None

    @property
    def happened(self) -> bool:
        """Whether an interrupt has come."""
        return self._last is not None

    def install(self) -> None:
        """Handle SIGINT from now on, unless the process was started to ignore it."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self)
            # Registered before all others, this runs after them: what comes then handles no signals.
            atexit.register(self._ignore)

    def restore(self) -> None:
        """Leave SIGINT to Python, if it is handled here."""
        if signal.getsignal(signal.SIGINT) is self:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _ignore(self) -> None:
        if self.happened:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the command, but not a second time while that is under way."""
        now = time.monotonic()
        if self._last is not None and now - self._last < _PATIENCE_SECONDS:
            return
        if self.ending:
            os._exit(INTERRUPTED)
        self._last = now
        raise KeyboardInterrupt
