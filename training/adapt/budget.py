"""The time budget of an adaptation, and the display of its progress."""

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
        seconds: The whole budget.
    """

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, begun: float | None = None
    ) -> None:
        """Count from now on, or from `begun`, an earlier time of the clock."""
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
        """Return a function that is true for the next `seconds`, then false."""
        end = self.used + seconds
        return lambda: self.used < end


class BudgetProgress:
    """Display of the current part and the time left: a bar on a terminal, elsewhere a line every 20 s.

    Used as a context, which ends the bar.
    """

    def __init__(self, budget: Budget, stream: TextIO | None = None) -> None:
        """Write to a stream, standard error by default."""
        self._budget = budget
        self._console = Console(file=stream or sys.stderr)
        self._part, self._shown_at = "", 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), _TimeLeft(budget))
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=budget.seconds)

    def __enter__(self) -> "BudgetProgress":
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def begin(self, part: str) -> None:
        """Show that a part begins; later updates belong to it."""
        self._part = part
        self._show(part, always=True)

    def update(self, detail: str) -> None:
        """Show how far the part is."""
        self._show(f"{self._part}: {detail}", always=False)

    def _show(self, text: str, *, always: bool) -> None:
        used = self._budget.used
        if self._console.is_terminal:
            self._bar.update(self._task, description=text, completed=used)
        elif always or used - self._shown_at >= _SECONDS_BETWEEN:
            self._shown_at = used
            line = f"adapt {time_of(self._budget.left)} left  {text}"
            print(line, file=self._console.file, flush=True)


class _TimeLeft(ProgressColumn):
    """The time left, which falls between updates too."""

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
    """End the block at SIGTERM by `SystemExit`, so that temporary folders are removed.

    Python handles signals in the main thread alone; in other threads SIGTERM keeps its effect.
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
