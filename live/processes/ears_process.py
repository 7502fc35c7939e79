"""The ears' child process: audio input, separated and transcribed."""

import signal
from multiprocessing.connection import Connection

from tatumflow.live.processes.child_process import Work, on_signals, run_child
from tatumflow.live.processes.options import EarsOptions
from tatumflow.live.processes.reports import ReportPipe


def run_ears(connection: Connection, options: EarsOptions) -> None:
    """Transcribe the audio input until a `Shutdown` or the end of the parent; then end the process.

    The connection gives `AudioCommand`s and a `Shutdown`, and takes `EarsReport`s. What is printed goes to
    the log of the engine's process.
    """
    # A key that interrupts the whole group is for the engine, which sends a `Shutdown`.
    on_signals(("SIGINT", "SIGHUP"), signal.SIG_IGN)

    def begin(pipe: ReportPipe) -> Work:
        from tatumflow.live.processes.ears_loop import open_ears

        return open_ears(options, pipe, connection)

    run_child("the ears", connection, begin)
