"""The screen's side of the engine process: starts it, talks to it, and mends what its death leaves behind."""

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final, Literal, Protocol

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.messages import Command, ConnectPorts, Notice, Shutdown, Snapshot, UseModel
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.midi.output_process import OutputProcess
from tatumflow.live.processes.engine_options import EngineOptions
from tatumflow.live.processes.engine_process import run_engine
from tatumflow.live.processes.process_end import how_ended, wait_for_end
from tatumflow.live.processes.screen_pipe import EngineFailure, EngineReady, Report
from tatumflow.live.settings import Settings

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_EXIT_SECONDS: Final = 10.0


class EngineProcess(Protocol):
    """What the host needs of the process that it started."""

    @property
    def pid(self) -> int | None:
        """Return its number."""
        ...

    @property
    def sentinel(self) -> int:
        """Return what `multiprocessing.connection.wait` finds ready once it has ended."""
        ...

    @property
    def exitcode(self) -> int | None:
        """Return how it ended, negative where a signal ended it; None while it runs."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


Launch = Callable[[EngineOptions, OutputChannel | None], tuple[EngineProcess, Connection]]
"""Starts an engine and returns its process and our end of the pipe to it."""


def launch_engine(options: EngineOptions, channel: OutputChannel | None) -> tuple[EngineProcess, Connection]:
    """Start an engine in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=run_engine, args=(options, theirs, channel), name="tatumflow engine", daemon=False
    )
    process.start()
    # The engine learns of our death by the closing of the pipe, so no other copy may stay open.
    theirs.close()
    return process, ours


class EngineHost:
    """Runs the engine in a process of its own; an `engine_link.EngineLink`.

    An engine that dies is started once more, with the controls and ports it had; `failure` says why it died.
    The MIDI outputs are held by a process beside it, which ends what a dead engine left sounding.
    """

    def __init__(self, options: EngineOptions, launch: Launch = launch_engine) -> None:
        """Start nothing yet.

        Args:
            options: What the engine starts with.
            launch: Starts it.
        """
        self._options = options
        self._launch = launch
        self._outputs = OutputProcess()
        self._process: EngineProcess | None = None
        self._connection: Connection | None = None
        self._snapshot: Snapshot | None = None
        self._audio: AudioStatus | None = None
        self._notices: tuple[Notice, ...] = ()
        self._clock = SystemClock()
        # Held while an engine is started and while it is decided that none will be any more.
        self._starting = threading.Lock()
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._ended = threading.Event()
        self._failure = ""
        self._asked_model = ""
        self._expected = False
        self._restarted = False
        self._restarting = False
        self._closing = False
        self._running = False

    def start(self) -> None:
        """Start the engine and wait until the model is warm.

        Raises:
            TatumFlowError: with the engine's own words if it could not start.
        """
        self._spawn()
        self._settled.wait(_START_SECONDS)
        if self._expected or not self.alive:
            reason = self._failure or "the engine process did not start"
            self.close()
            raise TatumFlowError(reason)

    @property
    def alive(self) -> bool:
        """Return whether an engine process is running."""
        return self._running

    @property
    def pid(self) -> int | None:
        """Return the number of the engine's process, None before it was started."""
        return None if self._process is None else self._process.pid

    @property
    def restarting(self) -> bool:
        """Return whether the engine has died and is being started again."""
        return self._restarting

    @property
    def output_pid(self) -> int | None:
        """Return the number of the process that holds the MIDI outputs, None where there is none."""
        return self._outputs.pid

    @property
    def failure(self) -> str:
        """Return one line that says why the engine last died, empty if it never did."""
        return self._failure

    @property
    def settings(self) -> Settings:
        """Return the settings as the session has changed them: ports, model, stem, controls, controllers."""
        settings, snapshot, audio = self._options.settings, self._snapshot, self._audio
        if audio is not None and audio.stems:
            settings = settings.with_audio(stem=audio.playing)
        if snapshot is None:
            return settings
        # What was asked for is what plays only if it could be opened.
        taken = self._asked_model and Path(self._asked_model).name == snapshot.model
        model = self._asked_model if taken else settings.model
        return settings.model_copy(
            update={"controls": snapshot.controls, "controllers": dict(snapshot.controllers), "model": model}
        )

    def send(self, command: Command | AudioCommand) -> None:
        """Hand a command to the engine; dropped if no engine, or for a stem no ears, are running."""
        if isinstance(command, ConnectPorts):
            given = {"input": command.input, "output": command.output}
            ports = {side: name for side, name in given.items() if name is not None}
            self._options = replace(self._options, settings=self._options.settings.with_ports(**ports))
        elif isinstance(command, UseModel):
            self._asked_model = command.model
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.send(command)

    def latest(self) -> Snapshot | None:
        """Return the newest snapshot, None before the first; each notice is returned once."""
        with self._lock:
            snapshot, notices = self._snapshot, self._notices
            self._notices = ()
        return None if snapshot is None else replace(snapshot, notices=notices)

    def audio(self) -> AudioStatus | None:
        """Return the newest state of the sound; None where the session has no ears."""
        return self._audio

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the engine has ended for good; return whether it has."""
        return self._ended.wait(timeout)

    def say(self, text: str, severity: Literal["information", "warning", "error"] = "warning") -> None:
        """Give the screen a line to show."""
        with self._lock:
            self._notices += (Notice(self._clock.now(), text, severity),)

    def close(self) -> None:
        """End the engine: silence, recording saved, ports closed."""
        # An engine that is just being started is there afterwards, and is told; none is started later.
        with self._starting:
            self._closing = True
            process = self._process
        self.send(Shutdown())
        if process is not None and not self._ended.wait(_STOP_SECONDS):
            process.kill()
            self._ended.wait(_EXIT_SECONDS)
        self._outputs.close()

    def _spawn(self) -> bool:
        """Start an engine unless the session is over; return whether one was started."""
        with self._starting:
            if self._closing:
                return False
            channel = self._outputs.channel()
            process, connection = self._launch(self._options, channel)
            if channel is not None:
                # The other end learns of the engine's death in the same way.
                channel.close()
            self._process, self._connection, self._running = process, connection, True
        threading.Thread(
            target=self._read, args=(process, connection), name="engine reader", daemon=True
        ).start()
        return True

    def _read(self, process: EngineProcess, connection: Connection) -> None:
        said: EngineFailure | None = None
        try:
            said = self._reports(connection, process)
        finally:
            # Whatever went wrong with its reports, an engine that has ended must not be waited for.
            wait_for_end(process, _EXIT_SECONDS)
            connection.close()
            self._engine_ended(process, said)

    def _reports(self, connection: Connection, process: EngineProcess) -> EngineFailure | None:
        """Take an engine's reports until it ends; return its last words if it failed."""
        said: EngineFailure | None = None
        try:
            # The process as well as the pipe: whoever else holds an end of the pipe must not hide its death.
            while connection in wait([connection, process.sentinel]):
                report: Report = connection.recv()
                match report:
                    case Snapshot():
                        with self._lock:
                            self._snapshot = report
                            self._notices += report.notices
                    case AudioStatus():
                        self._audio = report
                    case EngineReady():
                        if self._restarting:
                            self._restarting = False
                            self.say("the engine plays again", "information")
                        self._settled.set()
                    case EngineFailure():
                        said = said or report
                        if not report.expected:
                            self._died(report.text)
        except (EOFError, OSError):
            pass
        return said

    def _died(self, reason: str) -> None:
        """Say why the engine died, and that it is started again if it is."""
        again = not self._restarted and not self._closing
        # First, so that an engine that has ended for good is never seen in between.
        self._restarting = again
        self._failure = reason
        with self._lock:
            if self._snapshot is not None:
                self._snapshot = _silenced(self._snapshot)
        if again:
            self.say(f"{reason}; it is started again", "error")

    def _engine_ended(self, process: EngineProcess, said: EngineFailure | None) -> None:
        if said is not None and said.expected:
            self._failure, self._expected = said.text, True
        elif said is None and process.exitcode != 0:
            self._died(f"the engine process ended {how_ended(process.exitcode)}")
        self._connection, self._running = None, False
        crashed = (said is None and process.exitcode != 0) or (said is not None and not said.expected)
        if crashed and not self._outputs.alive:
            self._silence_ports()
        if crashed and not self._restarted:
            self._restarted = True
            self._options = replace(
                self._options, settings=self.settings, need_input=False, need_output=False, need_ears=False
            )
            try:
                if self._spawn():
                    return
            except Exception as error:
                self._failure += f"; it cannot be started again ({error})"
        self._restarting = False
        self._ended.set()
        self._settled.set()

    def _silence_ports(self) -> None:
        """Send panic to the outputs that the dead engine played on."""
        snapshot = self._snapshot
        names = () if snapshot is None else tuple(port.name for port in snapshot.outputs if port.connected)
        if names:
            from tatumflow.live.midi.panic import silence_outputs

            with suppress(TatumFlowError):
                silence_outputs(names, self._options.settings.ports)


def _silenced(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot of the moment in which an engine has died: nothing sounds or is planned any more."""
    notes = tuple(note for note in snapshot.notes if note.duration is not None and not note.planned)
    return replace(snapshot, turn="listening", held=(), notes=notes, learning="", position=None)
