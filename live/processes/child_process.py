"""The child processes of a session: how the engine's and the ears' begin and end.

Nothing heavy is imported before a child has begun, since its parent imports this module too.
"""

import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.processes.engine_log import EngineLog, log_path
from tatumflow.live.processes.options import EarsOptions, EngineOptions
from tatumflow.live.processes.reports import Failure, ReportPipe

SWITCH_SECONDS: Final = 0.0005
"""Seconds after which a computing thread passes the interpreter to a waiting one, such as the scheduler's
or the audio callback's; for `sys.setswitchinterval`."""


class Work(Protocol):
    """What a child process does."""

    def run(self) -> None:
        """Work until a `Shutdown` arrives, or until the parent is gone."""
        ...

    def close(self) -> None:
        """Save what is to be saved, and close the devices."""
        ...


def run_engine(connection: Connection, options: EngineOptions, channel: OutputChannel | None = None) -> None:
    """Play until a `Shutdown`, a signal, or the end of the parent; then end the process.

    Args:
        connection: Gives `Command`s, takes `EngineReport`s.
        options: What to start with.
        channel: To the process that holds the MIDI outputs; None opens them in this one.
    """
    log = EngineLog(log_path())

    def begin(pipe: ReportPipe) -> Work:
        from tatumflow.live.processes.engine_loop import Engine

        engine = Engine(options, connection, pipe, log, channel)
        _on_signals(("SIGINT", "SIGTERM", "SIGHUP"), lambda number, frame: engine.stop())
        return engine

    _run("the engine", connection, begin)


def run_ears(connection: Connection, options: EarsOptions) -> None:
    """Transcribe the audio input until a `Shutdown` or the end of the parent; then end the process.

    What is printed goes to the log of the engine's process.

    Args:
        connection: Gives `AudioCommand`s and a `Shutdown`, takes `EarsReport`s.
        options: What to start with.
    """
    # A key that interrupts the whole group is for the engine, which sends a `Shutdown`.
    _on_signals(("SIGINT", "SIGHUP"), signal.SIG_IGN)

    def begin(pipe: ReportPipe) -> Work:
        from tatumflow.live.processes.ears_loop import open_ears

        return open_ears(options, pipe, connection)

    _run("the ears", connection, begin)


def _run(name: str, connection: Connection, begin: Callable[[ReportPipe], Work]) -> None:
    """Do the work of a child process, report what ends it, and end the process."""
    faulthandler.enable()
    sys.setswitchinterval(SWITCH_SECONDS)
    pipe = ReportPipe(connection)
    work: Work | None = None
    try:
        work = begin(pipe)
        work.run()
    except Exception as error:
        # Before the closing, which takes a while: the parent shows it at once.
        pipe.report(_failure(name, error))
    finally:
        try:
            if work is not None:
                work.close()
        except Exception as error:
            pipe.report(_failure(name, error))
    pipe.close()
    # All is silent, saved, closed and reported. What is left is to take down the interpreter and the C
    # libraries in it, in no certain order and with threads still running: a crash in that would be reported
    # to the user as one of the child.
    sys.stderr.flush()
    os._exit(0)


def _failure(name: str, error: Exception) -> Failure:
    """Return an error as the failure that is reported; the traceback of one of ours goes to the log."""
    if isinstance(error, TatumFlowError):
        return Failure(str(error), expected=True)
    traceback.print_exception(error)
    text = f"{name} stopped: {type(error).__name__}: {error}; details in {log_path()}"
    return Failure(" ".join(text.split()), expected=False)


def _on_signals(names: tuple[str, ...], handler: Any) -> None:  # noqa: ANN401
    """Set the handler of the signals that this system has, but of those that the parent ignores."""
    for name in names:
        number = getattr(signal, name, None)
        # `nohup` ignores SIGHUP for a session that outlives its terminal.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)
