"""Progress of long work: a bar on a terminal, else a line every few seconds."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LINE_SECONDS: Final = 5.0
"""Seconds between two lines where no terminal shows a bar."""


class WorkProgress:
    """Shows on standard error how far some work is, while it is used as a context."""

    def __init__(
        self,
        task: str,
        total: float,
        unit: str,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show nothing yet.

        Args:
            task: What is done, such as "answering".
            total: How much there is to do.
            unit: What is counted, such as "notes".
            console: Where to; by default standard error.
            clock: Seconds that never go back.
        """
        self._console = console or Console(stderr=True)
        self._task, self._total, self._unit = task, total, unit
        self._clock = clock
        self._printed_at = 0.0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        self._printed_at = self._clock()
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"))
            self._bar = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
            self._bar.add_task(self._task, total=self._total, count="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: float) -> None:
        """Show how much is done."""
        count = f"{done:.0f} of {self._total:.0f} {self._unit}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, count=count)
        elif self._clock() - self._printed_at >= LINE_SECONDS:
            self._printed_at = self._clock()
            self._console.print(f"{self._task}: {count}", markup=False, highlight=False, soft_wrap=True)
