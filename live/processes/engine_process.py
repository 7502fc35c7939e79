"""The engine's child process."""

from multiprocessing.connection import Connection

from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.processes.child_process import Work, on_signals, run_child
from tatumflow.live.processes.engine_log import EngineLog, log_path
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.processes.reports import ReportPipe


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
        on_signals(("SIGINT", "SIGTERM", "SIGHUP"), lambda number, frame: engine.stop())
        return engine

    run_child("the engine", connection, begin)
