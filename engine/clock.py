"""The monotonic clock: `SystemClock` for playing, `VirtualClock` for files, tests and replays."""

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never go back. The zero is arbitrary but fixed for a session."""

    def now(self) -> float:
        """Return the present time in seconds."""
        ...


class SystemClock:
    """The machine's monotonic clock, the same one in every process of this machine."""

    def now(self) -> float:
        """Return seconds of `time.monotonic`."""
        return time.monotonic()


class VirtualClock:
    """A clock that moves only on demand, so that a run can be repeated bit for bit."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the seconds it was last moved to."""
        return self._now

    def advance_to(self, when: float) -> None:
        """Move to `when` seconds.

        Raises:
            ValueError: if `when` lies in the past.
        """
        if when < self._now:
            raise ValueError(f"the clock stands at {self._now} s and cannot go back to {when} s")
        self._now = when
