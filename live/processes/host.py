"""The screen's side of the engine process: starts it, sends it commands, and mends what its crash leaves."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.errors import EngineStartError, TatumFlowError
from tatumflow.engine.messages import Command, ConnectPorts, Notice, Snapshot, UseModel
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.midi.output_process import OutputProcess
from tatumflow.live.processes.engine_process import run_engine
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.processes.reports import Ready
from tatumflow.live.processes.supervisor import Child, ChildRules, Crashed, Ended, Over, Supervisor, spawn
from tatumflow.live.settings import Settings

# TensorRT builds an engine before its first note with a model, which takes minutes.
_START_SECONDS: Final = 300.0
# An engine ends by itself at a signal; before it is ready it may have something to record.
_RULES: Final = ChildRules("the engine process", stop_seconds=20.0, exit_seconds=10.0, may_end=True)

Launch = Callable[[EngineOptions, OutputChannel | None], Child]
"""Starts an engine."""


def launch_engine(options: EngineOptions, channel: OutputChannel | None) -> Child:
    """Start an engine in a process of its own."""
    return spawn(run_engine, options, channel, name="tatumflow engine")


class EngineHost(Supervisor[Snapshot | AudioStatus]):
    """Runs the engine in a process of its own; an `engine_link.EngineLink`.

    An engine that crashes is started once more, with the controls and ports it had; `failure` is the reason.
    A process beside it holds the MIDI outputs, and ends the notes that a crashed engine left sounding.
    """

    def __init__(self, options: EngineOptions, launch: Launch = launch_engine) -> None:
        """Start nothing yet; `launch` starts an engine with these options."""
        super().__init__(_RULES, self._launch_engine, self._take_report)
        self._options = options
        self._start_engine = launch
        self._outputs = OutputProcess()
        self._snapshot: Snapshot | None = None
        self._audio: AudioStatus | None = None
        self._notices: tuple[Notice, ...] = ()
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._requested_model = ""

    def start(self) -> None:
        """Start the engine and wait until the model is warm.

        Raises:
            EngineStartError: with the engine's own message if it could not start, or if it is not ready after
                `_START_SECONDS`; it is then ended.
        """
        super().start()
        ready = self.wait_settled(_START_SECONDS)
        if not ready or self.refused or not self.alive:
            slow = (
                f"the engine was not ready after {_START_SECONDS:g} s; close other programs, "
                "or try a smaller model with --model"
            )
            reason = self.failure or ("the engine process did not start" if ready else slow)
            self.close()
            raise EngineStartError(reason)

    @property
    def settings(self) -> Settings:
        """Return the settings as the session has changed them: ports, model, stem, controls, controllers."""
        settings, snapshot, audio = self._options.settings, self._snapshot, self._audio
        if audio is not None and audio.stems:
            settings = settings.with_audio(stem=audio.playing)
        if snapshot is None:
            return settings
        # The requested model plays only if it could be opened.
        taken = self._requested_model and Path(self._requested_model).name == snapshot.model
        model = self._requested_model if taken else settings.model
        return settings.model_copy(
            update={"controls": snapshot.controls, "controllers": dict(snapshot.controllers), "model": model}
        )

    def send(self, command: Command | AudioCommand) -> None:
        """Send the engine a command; dropped if no engine, or for a stem no ears, are running."""
        if isinstance(command, ConnectPorts):
            given = {"input": command.input, "output": command.output}
            ports = {side: name for side, name in given.items() if name is not None}
            self._options = replace(self._options, settings=self._options.settings.with_ports(**ports))
        elif isinstance(command, UseModel):
            self._requested_model = command.model
        super().send(command)

    def latest(self) -> Snapshot | None:
        """Return the newest snapshot, None before the first; each notice is returned once."""
        with self._lock:
            snapshot, notices = self._snapshot, self._notices
            self._notices = ()
        return None if snapshot is None else replace(snapshot, notices=notices)

    def audio(self) -> AudioStatus | None:
        """Return the newest state of the audio input; None where the session has none."""
        return self._audio

    def notify(self, text: str, severity: Literal["information", "warning", "error"] = "warning") -> None:
        """Show a notice on the screen."""
        with self._lock:
            self._notices += (Notice(self._clock.now(), text, severity),)

    def close(self) -> None:
        """End the engine: silence, recording saved, ports closed."""
        super().close()
        self._outputs.close()

    def _launch_engine(self, again: bool) -> Child:
        if again:
            self._options = replace(
                self._options, settings=self.settings, need_input=False, need_output=False, need_ears=False
            )
        channel = self._outputs.channel()
        child = self._start_engine(self._options, channel)
        if channel is not None:
            # The output process sees the engine's end by the closing of the pipe, so no copy stays open here.
            channel.close()
        return child

    def _take_report(self, report: Snapshot | AudioStatus | Ready | Crashed | Ended | Over) -> None:
        match report:
            case Snapshot():
                with self._lock:
                    self._snapshot = report
                    self._notices += report.notices
            case AudioStatus():
                self._audio = report
            case Ready():
                if self.restarting:
                    self.notify("the engine plays again", "information")
            case Crashed():
                with self._lock:
                    if self._snapshot is not None:
                        self._snapshot = _silenced(self._snapshot)
                if report.again:
                    self.notify(f"{report.reason}; it is started again", "error")
            case Ended():
                if report.crashed and not self._outputs.alive:
                    self._silence_ports()
            case Over():
                pass

    def _silence_ports(self) -> None:
        """Send panic to the outputs that the crashed engine played on."""
        snapshot = self._snapshot
        names = () if snapshot is None else tuple(port.name for port in snapshot.outputs if port.connected)
        if names:
            from tatumflow.live.midi.panic import silence_outputs

            with suppress(TatumFlowError):
                silence_outputs(names, self._options.settings.ports)


def _silenced(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot of the moment in which an engine crashes: no note sounds or is planned any more."""
    notes = tuple(note for note in snapshot.notes if note.duration is not None and not note.planned)
    return replace(snapshot, turn="listening", held=(), notes=notes, learning="", position=None)
