"""How a process of ours ended: waited for, and in words."""

from typing import Protocol


class Ending(Protocol):
    """A process of `multiprocessing`."""

    @property
    def exitcode(self) -> int | None:
        """Return how it ended, None while it runs."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


def wait_for_end(process: Ending, patience: float) -> None:
    """Wait until a process has ended, and end it where that takes longer than so many seconds.

    Only one thread may ask how a process fares: two at once can miss its exit status.
    """
    process.join(patience)
    if process.exitcode is None:
        process.kill()
        process.join()


def how_ended(code: int | None) -> str:
    """Return the words for an exit code of `multiprocessing`: negative where a signal ended it."""
    return f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
