"""The engine's side of the ears' process, which transcribes the audio input: its notes in, commands out."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, Literal

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.messages import Notice
from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.live.audio.commands import AudioCommand, BypassSeparation, SetStem
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.notices import Notify
from tatumflow.live.processes.ears_process import run_ears
from tatumflow.live.processes.options import EarsOptions
from tatumflow.live.processes.reports import Ready
from tatumflow.live.processes.supervisor import Child, ChildRules, Crashed, Ended, Over, Supervisor, spawn

_START_SECONDS: Final = 40.0
_RULES: Final = ChildRules("the ears", stop_seconds=12.0, exit_seconds=5.0, killed_unready=True)

EarsEvent = NoteOn | NoteOff | InputLost | AudioStatus | Notice


def launch_ears(options: EarsOptions) -> Child:
    """Start the ears in a process of their own."""
    return spawn(run_ears, options, name="tatumflow ears", daemon=True)


class EarsLink(Supervisor[EarsEvent]):
    """Runs the ears, which transcribe the audio input, in a process of their own.

    The sounding notes of ears that crash, or that lose their input, end; keys held on a keyboard beside them
    stay held. Ears that crash are started once more with the stems as they were. Ears that fail as expected
    end with one notice.
    """

    def __init__(
        self,
        options: EarsOptions,
        clock: Clock,
        emit: Callable[[NoteOn | NoteOff], None],
        show: Callable[[AudioStatus], None],
        notify: Notify,
        launch: Callable[[EarsOptions], Child] = launch_ears,
    ) -> None:
        """Start nothing yet.

        Args:
            options: What they start with.
            clock: That of the session.
            emit: Takes the notes of the followed stem, on the reader's thread; may not block or raise.
            show: Takes the states of the audio input, likewise.
            notify: Takes notices for the user.
            launch: Starts them.
        """
        super().__init__(_RULES, self._launch_ears, self._take_report)
        self._options = options
        self._clock = clock
        self._emit = emit
        self._show = show
        self._notify = notify
        self._start_ears = launch
        self._status: AudioStatus | None = None
        self._sounding: dict[tuple[int, int], None] = {}
        """Pitch and channel of every note of theirs that has not ended, in order."""
        self._needed = False

    def start(self, *, needed: bool = False) -> None:
        """Start them, and return at once; `needed` makes a failure an error of `wait_ready`, not a notice."""
        self._needed = needed
        super().start()

    def wait_ready(self) -> None:
        """Wait until they transcribe.

        Raises:
            TatumFlowError: with their own message if they cannot.
        """
        if not self.wait_settled(_START_SECONDS):
            raise TatumFlowError(f"the ears do not start within {_START_SECONDS:.0f} s; close other programs")
        if self.wait(0) and self.failure:
            raise TatumFlowError(self.failure)

    def send(self, command: AudioCommand) -> None:
        """Send them a command; a notice reports that they have ended."""
        if self.wait(0):
            self._notify(f"there is no audio input: {self.failure}", "warning")
        else:
            super().send(command)

    def _launch_ears(self, again: bool) -> Child:
        status = self._status
        if not again or status is None:
            return self._start_ears(self._options)
        changes = {"stem": status.playing, "record": bool(status.recording)}
        self._options = replace(self._options, settings=self._options.settings.model_copy(update=changes))
        process, connection = self._start_ears(self._options)
        with suppress(OSError):
            for stem in status.stems:
                connection.send(SetStem(stem.name, stem.mix.gain_db, stem.mix.muted, stem.mix.soloed))
            connection.send(BypassSeparation(status.bypass))
        return process, connection

    def _take_report(self, report: EarsEvent | Ready | Crashed | Ended | Over) -> None:
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
            case Crashed():
                self._release(self._clock.now())
                if report.again:
                    self._show_ended("lost")
                    self._notify(f"{report.reason}; they are started again", "warning")
            case Ended():
                self._release(self._clock.now())
            case Over():
                if self.closing:
                    return
                self._show_ended("closed")
                if not self._needed or self.settled:
                    self._notify(f"{self.failure}; the jam goes on without ears", "warning")
            case Ready():
                pass

    def _show_ended(self, state: Literal["lost", "closed"]) -> None:
        if self._status is not None:
            self._show(AudioStatus(state, model_rate=self._status.model_rate))

    def _release(self, time: float) -> None:
        """End the notes that sound."""
        for pitch, channel in self._sounding:
            self._emit(NoteOff(time, pitch, channel))
        self._sounding.clear()
