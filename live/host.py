"""The screen's side of the engine process: starts it, talks to it, and mends what its death leaves behind."""

import multiprocessing
import threading
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.messages import Command, ConnectPorts, Notice, Shutdown, Snapshot, UseModel
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.engine_options import EngineOptions
from tatumflow.live.engine_process import run_engine
from tatumflow.live.process_end import how_ended, wait_for_end
from tatumflow.live.screen_pipe import EngineFailure, EngineReady, Report
from tatumflow.live.settings import Settings

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_EXIT_SECONDS: Final = 10.0


class EngineHost:
    """Runs the engine in a process of its own; an `engine_link.EngineLink`.

    An engine that dies is started once more, with the controls and ports it had; `failure` says why it died.
    """

    def __init__(self, options: EngineOptions) -> None:
        """Start nothing yet."""
        self._options = options
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._snapshot: Snapshot | None = None
        self._audio: AudioStatus | None = None
        self._notices: tuple[Notice, ...] = ()
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._ended = threading.Event()
        self._failure = ""
        self._asked_model = ""
        self._expected = False
        self._restarted = False
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

    def close(self) -> None:
        """End the engine: silence, recording saved, ports closed."""
        self._closing = True
        self.send(Shutdown())
        if self._process is None or self._ended.wait(_STOP_SECONDS):
            return
        self._process.kill()
        self._ended.wait(_EXIT_SECONDS)

    def _spawn(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=run_engine, args=(self._options, theirs), name="tatumflow engine", daemon=False
        )
        process.start()
        # The engine learns of our death by the closing of the pipe, so no other copy may stay open.
        theirs.close()
        self._process, self._connection, self._running = process, ours, True
        threading.Thread(target=self._read, args=(process, ours), name="engine reader", daemon=True).start()

    def _read(self, process: SpawnProcess, connection: Connection) -> None:
        said: EngineFailure | None = None
        try:
            while True:
                report: Report = connection.recv()
                match report:
                    case Snapshot():
                        with self._lock:
                            self._snapshot = report
                            self._notices += report.notices
                    case AudioStatus():
                        self._audio = report
                    case EngineReady():
                        self._settled.set()
                    case EngineFailure():
                        said = report
        except (EOFError, OSError):
            wait_for_end(process, _EXIT_SECONDS)
        connection.close()
        self._engine_ended(process, said)

    def _engine_ended(self, process: SpawnProcess, said: EngineFailure | None) -> None:
        self._connection, self._running = None, False
        if said is not None:
            self._failure, self._expected = said.text, said.expected
        elif process.exitcode != 0:
            self._failure = f"the engine process ended {how_ended(process.exitcode)}"
        crashed = (said is None and process.exitcode != 0) or (said is not None and not said.expected)
        if crashed:
            self._silence_ports()
        if crashed and not self._restarted and not self._closing:
            self._restarted = True
            self._options = replace(
                self._options, settings=self.settings, need_input=False, need_output=False, need_ears=False
            )
            self._spawn()
            return
        self._ended.set()
        self._settled.set()

    def _silence_ports(self) -> None:
        """Send panic to the outputs that the dead engine played on."""
        snapshot = self._snapshot
        names = () if snapshot is None else tuple(port.name for port in snapshot.outputs if port.connected)
        if names:
            from tatumflow.live.panic import silence_outputs

            with suppress(TatumFlowError):
                silence_outputs(names, self._options.settings.ports)
