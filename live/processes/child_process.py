"""How a child process of a session begins and ends: the engine's and the ears'."""

import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.processes.engine_log import log_path
from tatumflow.live.processes.reports import Failure, ReportPipe

SWITCH_SECONDS: Final = 0.0005
"""Seconds after which a computing thread passes the interpreter to a waiting one, such as the scheduler's
or the audio callback's; for `sys.setswitchinterval`."""


class Work(Protocol):
    """What a child process does."""

    def run(self) -> None:
        """Work until a `Shutdown` arrives, or until the parent is gone."""

    def close(self) -> None:
        """Save what is to be saved, and close the devices."""


def run_child(name: str, connection: Connection, begin: Callable[[ReportPipe], Work]) -> None:
    """Do the work of a child process, report what ends it, and end the process.

    Args:
        name: The child, as messages call it.
        connection: To the parent.
        begin: Prepares the work; heavy imports belong there, since the parent imports the child's module too.
    """
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


def on_signals(names: tuple[str, ...], handler: Any) -> None:  # noqa: ANN401
    """Set the handler of the signals that this system has, but of those that the parent ignores."""
    for name in names:
        number = getattr(signal, name, None)
        # `nohup` ignores SIGHUP for a session that outlives its terminal.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)
