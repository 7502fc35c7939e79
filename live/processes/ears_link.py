"""The engine's side of the ears' process: starts it, takes its notes, mends what its death leaves behind."""

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.messages import Notice, Shutdown
from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.live.audio.commands import AudioCommand, BypassSeparation, SetStem
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.notices import Notify
from tatumflow.live.processes.ears_options import EarsOptions
from tatumflow.live.processes.ears_pipe import EarsFailure, EarsReady, EarsReport
from tatumflow.live.processes.ears_process import run_ears
from tatumflow.live.processes.process_end import how_ended, wait_for_end

_START_SECONDS: Final = 40.0
_STOP_SECONDS: Final = 12.0
_EXIT_SECONDS: Final = 5.0


class EarsLink:
    """Runs the ears in a process of their own.

    The notes of ears that die, or that lose what they heard, end; keys held on a keyboard beside them stay
    held. Ears that die are started once more with the stems as they were. Ears that cannot hear end with one
    line for the player.
    """

    def __init__(
        self,
        options: EarsOptions,
        clock: Clock,
        emit: Callable[[NoteOn | NoteOff], None],
        show: Callable[[AudioStatus], None],
        notify: Notify,
    ) -> None:
        """Start nothing yet.

        Args:
            options: What they start with.
            clock: That of the session.
            emit: Takes the notes of the stem that plays, from a thread of this; must not block or raise.
            show: Takes the states of the sound, likewise.
            notify: Takes lines for the player.
        """
        self._options = options
        self._clock = clock
        self._emit = emit
        self._show = show
        self._notify = notify
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._status: AudioStatus | None = None
        self._sounding: dict[tuple[int, int], None] = {}
        """Pitch and channel of every note of theirs that has not ended, in order."""
        self._settled = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._failure = ""
        self._needed = False
        self._restarted = False
        self._closing = False

    def start(self, *, needed: bool = False) -> None:
        """Start them, and return at once.

        Args:
            needed: Whether `wait` tells that they cannot hear, rather than a line for the player.
        """
        self._needed = needed
        self._spawn()

    def wait(self) -> None:
        """Wait until they hear.

        Raises:
            TatumFlowError: with their own words if they cannot.
        """
        if not self._settled.wait(_START_SECONDS):
            raise TatumFlowError(f"the ears do not start within {_START_SECONDS:.0f} s; close other programs")
        if self._failure:
            raise TatumFlowError(self._failure)

    @property
    def pid(self) -> int | None:
        """Return the number of their process, None before it was started."""
        return None if self._process is None else self._process.pid

    def send(self, command: AudioCommand) -> None:
        """Hand them a command; without ears a line says so."""
        if self._ended.is_set():
            self._notify(f"nothing is heard: {self._failure}", "warning")
            return
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.send(command)

    def close(self) -> None:
        """End them: device closed, recording of the stems saved."""
        with self._lock:
            self._closing = True
            process, connection = self._process, self._connection
        if process is None:
            return
        if not self._settled.is_set():
            # They have nothing to save yet, and are in no state to be asked.
            process.kill()
        elif connection is not None:
            with suppress(OSError):
                connection.send(Shutdown())
        if not self._ended.wait(_STOP_SECONDS):
            process.kill()
            self._ended.wait(_EXIT_SECONDS)

    def _spawn(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        with self._lock:
            if self._closing:
                self._ended.set()
                return
            process = context.Process(
                target=run_ears, args=(self._options, theirs), name="tatumflow ears", daemon=True
            )
            process.start()
            # They learn of our death by the closing of the pipe, so no other copy may stay open.
            theirs.close()
            self._process, self._connection = process, ours
        if self._status is not None:
            with suppress(OSError):
                for command in _as_it_was(self._status):
                    ours.send(command)
        threading.Thread(target=self._read, args=(process, ours), name="ears reader", daemon=True).start()

    def _read(self, process: SpawnProcess, connection: Connection) -> None:
        said: EarsFailure | None = None
        try:
            while True:
                report: EarsReport = connection.recv()
                match report:
                    case NoteOn():
                        self._sounding[report.pitch, report.channel] = None
                        self._emit(report)
                    case NoteOff():
                        self._sounding.pop((report.pitch, report.channel), None)
                        self._emit(report)
                    case InputLost():
                        self._release(report.time)
                    case AudioStatus():
                        self._status = report
                        self._show(report)
                    case Notice():
                        self._notify(report.text, report.severity)
                    case EarsReady():
                        self._settled.set()
                    case EarsFailure():
                        said = report
        except (EOFError, OSError):
            wait_for_end(process, _EXIT_SECONDS)
        connection.close()
        self._died(process, said)

    def _died(self, process: SpawnProcess, said: EarsFailure | None) -> None:
        self._connection = None
        # Whatever they heard last, nobody will say that it has ended.
        self._release(self._clock.now())
        if self._closing:
            self._ended.set()
            return
        reason = f"the ears ended {how_ended(process.exitcode)}" if said is None else said.text
        again = not self._restarted and not (said is not None and said.expected)
        status = self._status
        if status is not None:
            self._show(AudioStatus("lost" if again else "closed", model_rate=status.model_rate))
        if again:
            self._restarted = True
            self._notify(f"{reason}; they are started again", "warning")
            self._options = self._options_as_it_was()
            self._spawn()
            return
        self._failure = reason
        self._ended.set()
        if not self._needed or self._settled.is_set():
            self._notify(f"{reason}; the jam goes on without ears", "warning")
        self._settled.set()

    def _release(self, time: float) -> None:
        for pitch, channel in self._sounding:
            self._emit(NoteOff(time, pitch, channel))
        self._sounding.clear()

    def _options_as_it_was(self) -> EarsOptions:
        """Return what the ears start with, as the player has changed it since."""
        status = self._status
        if status is None:
            return self._options
        changes = {"stem": status.playing, "record": bool(status.recording)}
        return replace(self._options, settings=self._options.settings.model_copy(update=changes))


def _as_it_was(status: AudioStatus) -> list[AudioCommand]:
    """Return the commands that make stems heard as they were."""
    stems: list[AudioCommand] = [
        SetStem(stem.name, stem.mix.gain_db, stem.mix.muted, stem.mix.soloed) for stem in status.stems
    ]
    return [*stems, BypassSeparation(status.bypass)]
