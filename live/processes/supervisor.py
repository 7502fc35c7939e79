"""Supervision of a child process: start it, read its reports, restart it once, close it."""

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Protocol, TypeVar

from tatumflow.engine.messages import Shutdown
from tatumflow.live.processes.reports import Failure, Ready

Report = TypeVar("Report")


class ChildProcess(Protocol):
    """What is needed of a process of `multiprocessing`."""

    @property
    def pid(self) -> int | None:
        """Return its number."""
        ...

    @property
    def sentinel(self) -> int:
        """Return what `multiprocessing.connection.wait` finds ready once the process has ended."""
        ...

    @property
    def exitcode(self) -> int | None:
        """Return its exit code, negative where a signal ended it; None while it runs."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""

    def kill(self) -> None:
        """End it at once."""


Child = tuple[ChildProcess, Connection]
"""A child process that was started, and the parent's end of the pipe to it."""


def spawn(target: Callable[..., None], *args: object, name: str, daemon: bool = False) -> Child:
    """Start `target(connection, *args)` in a process of its own; the connection is its end of the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    # The child sees the parent's end by the closing of the pipe, so no other copy may stay open.
    with theirs:
        process = context.Process(target=target, args=(theirs, *args), name=name, daemon=daemon)
        process.start()
    return process, ours


@dataclass(frozen=True, slots=True)
class Crashed:
    """The child has failed, or its process has ended without a failure; `again` if it is started again."""

    reason: str
    again: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The process of the child has ended; another one may be started after this."""

    crashed: bool


@dataclass(frozen=True, slots=True)
class Over:
    """No child runs, and none is started any more."""


@dataclass(frozen=True, slots=True)
class ChildRules:
    """How a child process is treated.

    Attributes:
        name: Its name in messages: "the engine process".
        stop_seconds: Seconds from a `Shutdown` after which it is killed.
        exit_seconds: Seconds after the end of its reports, or after a kill, in which its process ends.
        may_end: Whether it may end without a `Shutdown`, with exit code 0.
        killed_unready: Whether `close` kills it before it is ready, since it has nothing to save yet.
    """

    name: str
    stop_seconds: float
    exit_seconds: float
    may_end: bool = False
    killed_unready: bool = False


class Supervisor(Generic[Report]):
    """Runs one child process and reads its reports on a thread.

    A child that crashes is started once more; one that fails as `expected` is not.
    """

    def __init__(
        self,
        rules: ChildRules,
        launch: Callable[[bool], Child],
        take: Callable[[Report | Ready | Crashed | Ended | Over], None],
    ) -> None:
        """Start nothing yet.

        Args:
            rules: How the child is treated.
            launch: Starts a child; given whether it is the restart of one that crashed.
            take: Takes each report, and what becomes of the child, in order; called on the reader's thread.
        """
        self._rules = rules
        self._launch = launch
        self._take = take
        self._process: ChildProcess | None = None
        self._connection: Connection | None = None
        # Held while a child is started and while it is decided that none will be any more, so that every
        # child gets a `Shutdown`.
        self._starting = threading.Lock()
        self._settled = threading.Event()
        self._ended = threading.Event()
        self._failure = ""
        self._expected = False
        self._restarted = False
        self._restarting = False
        self._closing = False
        self._running = False

    @property
    def alive(self) -> bool:
        """Return whether a child runs."""
        return self._running

    @property
    def pid(self) -> int | None:
        """Return the number of the child's process, None before it was started."""
        return None if self._process is None else self._process.pid

    @property
    def restarting(self) -> bool:
        """Return whether the child has crashed and its successor is not ready yet."""
        return self._restarting

    @property
    def failure(self) -> str:
        """Return one line with the reason of the last crash or failure, empty if there was none."""
        return self._failure

    @property
    def refused(self) -> bool:
        """Return whether the child has failed as expected: starting it again cannot help."""
        return self._expected

    @property
    def closing(self) -> bool:
        """Return whether `close` was called."""
        return self._closing

    @property
    def settled(self) -> bool:
        """Return whether a child was ready, or none will be."""
        return self._settled.is_set()

    def start(self) -> None:
        """Start the child, and return at once."""
        if not self._spawn(again=False):
            self._ended.set()
            self._settled.set()

    def wait_settled(self, timeout: float) -> bool:
        """Wait until the child is ready or none will be, for `timeout` seconds; return whether that is so."""
        return self._settled.wait(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the child has ended for good; return whether it has."""
        return self._ended.wait(timeout)

    def send(self, command: Any) -> None:  # noqa: ANN401
        """Send a command; dropped if no child runs."""
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.send(command)

    def close(self) -> None:
        """End the child: with a `Shutdown`, and with a kill if that takes too long."""
        with self._starting:
            self._closing = True
            process = self._process
        if process is None:
            return
        if self._rules.killed_unready and not self.settled:
            process.kill()
        else:
            Supervisor.send(self, Shutdown())
        if not self._ended.wait(self._rules.stop_seconds):
            process.kill()
            self._ended.wait(self._rules.exit_seconds)

    def _spawn(self, *, again: bool) -> bool:
        """Start a child unless `close` was called; return whether one was started."""
        with self._starting:
            if self._closing:
                return False
            process, connection = self._launch(again)
            self._process, self._connection, self._running = process, connection, True
        name = f"{self._rules.name}: reader"
        threading.Thread(target=self._watch, args=(process, connection), name=name, daemon=True).start()
        return True

    def _watch(self, process: ChildProcess, connection: Connection) -> None:
        failure: Failure | None = None
        try:
            failure = self._read(process, connection)
        finally:
            # Whatever went wrong with its reports: a process that has ended is not waited for any longer.
            self._wait_for_end(process)
            connection.close()
            self._process_ended(process.exitcode, failure)

    def _read(self, process: ChildProcess, connection: Connection) -> Failure | None:
        """Take a child's reports until it ends; return its first failure."""
        failure: Failure | None = None
        try:
            # The process as well as the pipe: another process that holds an end of the pipe hides no death.
            while connection in wait([connection, process.sentinel]):
                report = connection.recv()
                if isinstance(report, Failure):
                    failure = failure or report
                    if not report.expected:
                        self._crashed(report.text)
                    continue
                self._take(report)
                if isinstance(report, Ready):
                    self._restarting = False
                    self._settled.set()
        except (EOFError, OSError):
            pass
        return failure

    def _wait_for_end(self, process: ChildProcess) -> None:
        """Wait until a process has ended; kill it where that takes too long.

        Only this thread reads its exit code: two threads at once can miss it.
        """
        process.join(self._rules.exit_seconds)
        if process.exitcode is None:
            process.kill()
            process.join()

    def _crashed(self, reason: str) -> None:
        again = not self._restarted and not self._closing
        # First, so that a child that has ended for good is never seen in between.
        self._restarting = again
        self._failure = reason
        self._take(Crashed(reason, again))

    def _process_ended(self, code: int | None, failure: Failure | None) -> None:
        if failure is None:
            crashed = code != 0 or not (self._rules.may_end or self._closing)
            if crashed:
                how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
                self._crashed(f"{self._rules.name} ended {how}")
        else:
            crashed = not failure.expected
            if failure.expected:
                self._failure, self._expected = failure.text, True
        self._connection, self._running = None, False
        self._take(Ended(crashed))
        if crashed and not self._restarted:
            self._restarted = True
            try:
                if self._spawn(again=True):
                    return
            except Exception as error:
                self._failure += f"; it cannot be started again ({error})"
        self._restarting = False
        self._take(Over())
        self._ended.set()
        self._settled.set()
