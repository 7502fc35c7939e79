"""The time that a whole adaptation has, and how its parts share it."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

_SECONDS_BETWEEN: Final = 20.0
_ENDED_BY_SIGTERM: Final = 128 + signal.SIGTERM


class Budget:
    """Seconds that a command may take, counted from its start.

    Attributes:
        seconds: How many.
    """

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, begun: float | None = None
    ) -> None:
        """Start to count, or count from a time of the clock before."""
        self.seconds = seconds
        self._clock = clock
        self._begun = clock() if begun is None else begun

    @property
    def used(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._begun

    @property
    def left(self) -> float:
        """Seconds to the end; negative after it."""
        return self.seconds - self.used

    def within(self, seconds: float) -> Callable[[], bool]:
        """Return a test that holds from now on for so many seconds."""
        end = self.used + seconds
        return lambda: self.used < end


class BudgetProgress:
    """Says what is under way and how much time is left: a bar on a terminal, elsewhere a line now and then.

    Used as a context, which ends the bar.
    """

    def __init__(self, budget: Budget, stream: TextIO | None = None) -> None:
        """Write to a stream, standard error by default."""
        self._budget = budget
        self._console = Console(file=stream or sys.stderr)
        self._part, self._said = "", 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), _TimeLeft(budget))
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=budget.seconds)

    def __enter__(self) -> "BudgetProgress":
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal to others."""
        self._bar.stop()

    def begin(self, part: str) -> None:
        """Say that a part begins; what is told after it belongs to it."""
        self._part = part
        self._say(part, always=True)

    def tell(self, detail: str) -> None:
        """Say how far the part is."""
        self._say(f"{self._part}: {detail}", always=False)

    def _say(self, text: str, *, always: bool) -> None:
        used = self._budget.used
        if self._console.is_terminal:
            self._bar.update(self._task, description=text, completed=used)
        elif always or used - self._said >= _SECONDS_BETWEEN:
            self._said = used
            line = f"adapt {time_of(self._budget.left)} left  {text}"
            print(line, file=self._console.file, flush=True)


class _TimeLeft(ProgressColumn):
    """The time left, which falls whether anything is told or not."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        super().__init__()

    def render(self, task: Task) -> Text:
        """Return minutes and seconds."""
        return Text(f"{time_of(self._budget.left)} left")


def time_of(seconds: float) -> str:
    """Return seconds as M:SS, never below 0:00."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    return f"{minutes}:{rest:02d}"


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block at once by `SystemExit`, so that temporary folders are removed.

    Only the main thread can; in others the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end_at_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Raise `SystemExit` with the exit status of a program that SIGTERM ended."""
    raise SystemExit(_ENDED_BY_SIGTERM)
