"""A child process of a supervisor, without a process: a pipe, a sentinel and an exit code."""

import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe

PATIENCE = 60.0


class FakeChild:
    """What `multiprocessing` gives for a process, and both ends of the pipe to it."""

    pid = 1

    def __init__(self) -> None:
        self.ours, self.theirs = Pipe()
        self._alive, self._life = Pipe(duplex=False)
        self._ended = threading.Event()
        self.sentinel = self._alive.fileno()
        self.exitcode: int | None = None
        self.killed = False

    def die(self, code: int, *, pipe_stays: bool = False) -> None:
        """End with an exit code; `pipe_stays` where another process holds the child's end of the pipe."""
        self.exitcode = code
        self._ended.set()
        self._life.close()
        if not pipe_stays:
            self.theirs.close()

    def join(self, timeout: float | None = None) -> None:
        self._ended.wait(timeout)

    def kill(self) -> None:
        self.killed = True
        self.die(-9)


def until(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; return whether it does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
