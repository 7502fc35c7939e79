"""The loop of the ears' process: separate the audio input into stems, transcribe one, take commands."""

from multiprocessing.connection import Connection
from typing import Final, Literal

from tatumflow.engine.clock import Clock, SystemClock
from tatumflow.engine.errors import SettingError
from tatumflow.engine.messages import Notice, Shutdown
from tatumflow.engine.note_tracking.tracker import NoteTracker
from tatumflow.engine.separation.pass_through import WHOLE_INPUT, PassThrough
from tatumflow.engine.separation.streaming import BlockModel
from tatumflow.live.audio.commands import AudioCommand, BypassSeparation, ChooseStem, RecordStems, SetStem
from tatumflow.live.audio.devices import AudioSystem
from tatumflow.live.audio.ears import AudioOptions, Ears
from tatumflow.live.audio.portaudio import PortAudio
from tatumflow.live.audio.separator import NO_SEPARATOR, open_separator
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.audio.stem_listener import NoteThread
from tatumflow.live.audio.stem_recorder import free_folder
from tatumflow.live.processes.options import EarsOptions
from tatumflow.live.processes.reports import Ready, ReportPipe
from tatumflow.live.settings import AUTO, AudioSettings

STATUS_SECONDS: Final = 1 / 30
"""Seconds from one state of the sound that is sent to the next, at least."""


class EarsLoop:
    """The audio input of a session, its separator, the note tracker of one stem, the pipe to the engine."""

    def __init__(
        self,
        options: EarsOptions,
        model: BlockModel,
        tracker: NoteTracker,
        system: AudioSystem,
        pipe: ReportPipe,
        connection: Connection,
        clock: Clock,
    ) -> None:
        """Open the device.

        Args:
            options: The input, and where it is recorded.
            model: Separates it into stems.
            tracker: Transcribes the chosen stem.
            system: Opens the device.
            pipe: Takes `EarsReport`s.
            connection: Gives `AudioCommand`s and a `Shutdown`.
            clock: That of the session.

        Raises:
            DeviceError: if the device is missing or cannot be opened.
            SettingError: if the model has no stem of that name.
        """
        self._folder = options.folder
        self._pipe = pipe
        self._connection = connection
        self._clock = clock
        self._shown: AudioStatus | None = None
        self._notes = NoteThread(tracker, model.rate, pipe.report, self._notify)
        audio = audio_options(options.settings, monitor=not isinstance(model, PassThrough))
        self._ears = Ears(model, audio, system, clock, self._notify, self._notes)
        try:
            self._ears.choose(options.settings.stem)
            self._ears.open()
        except BaseException:
            self.close()
            raise
        self._ears.watch()
        self._record(options.settings.record)

    def run(self) -> None:
        """Report notes and states until a `Shutdown`, or until the engine is gone."""
        self._show()
        self._pipe.report(Ready())
        next_status = self._clock.now() + STATUS_SECONDS
        try:
            while True:
                if self._connection.poll(max(next_status - self._clock.now(), 0.0)):
                    command: AudioCommand | Shutdown = self._connection.recv()
                    if isinstance(command, Shutdown):
                        break
                    self._take(command)
                if self._clock.now() >= next_status:
                    self._show()
                    next_status = self._clock.now() + STATUS_SECONDS
        except (EOFError, OSError):
            # The engine has gone: no process reads a last state.
            return
        self._show()

    def close(self) -> None:
        """Close the device and the recording."""
        self._ears.close()
        self._notes.close()

    def _take(self, command: AudioCommand) -> None:
        ears = self._ears
        try:
            match command:
                case SetStem():
                    ears.set_stem(
                        command.name, gain_db=command.gain_db, muted=command.muted, soloed=command.soloed
                    )
                case ChooseStem(name=name):
                    ears.choose(name)
                case BypassSeparation(bypass=bypass):
                    ears.set_bypass(bypass)
                case RecordStems(on=on):
                    self._record(on)
        except SettingError as error:
            self._notify(str(error), "warning")

    def _record(self, on: bool) -> None:
        if on != bool(self._ears.status().recording):
            self._ears.record(free_folder(self._folder) if on else None)

    def _show(self) -> None:
        status = self._ears.status()
        if status != self._shown:
            self._shown = status
            self._pipe.show(status)

    def _notify(self, text: str, severity: Literal["information", "warning", "error"]) -> None:
        self._pipe.report(Notice(self._clock.now(), text, severity))


def open_ears(options: EarsOptions, pipe: ReportPipe, connection: Connection) -> EarsLoop:
    """Open the separator, the tracker and the device that the settings name.

    Raises:
        BundleError: if a model is missing or damaged.
        DeviceError: if the device, or the library that reaches it, is missing.
        SettingError: if the separator has no stem of that name.
    """
    settings = options.settings
    model = open_separator(separator_named(settings))
    tracker = open_tracker(settings.voices)
    return EarsLoop(options, model, tracker, PortAudio(), pipe, connection, SystemClock())


def separator_named(settings: AudioSettings) -> str:
    """Return the name of the separator to open; a stem that is the whole input needs none."""
    return settings.separator or (NO_SEPARATOR if settings.stem == WHOLE_INPUT else "")


def open_tracker(voices: Literal["one", "many"]) -> NoteTracker:
    """Open the note tracker for a stem of one voice or of many at once.

    Raises:
        BundleError: if its model cannot be run.
    """
    if voices == "one":
        from tatumflow.engine.note_tracking.monophonic import MonophonicTracker

        return MonophonicTracker()
    from tatumflow.engine.note_tracking.polyphonic import PolyphonicTracker

    return PolyphonicTracker()


def audio_options(settings: AudioSettings, *, monitor: bool) -> AudioOptions:
    """Return how a device is opened by these settings; `monitor` lets the output "auto" play the stems."""
    output = settings.output
    if output == AUTO:
        output = "" if monitor else None
    elif not output:
        output = None
    return AudioOptions(
        "" if settings.input == AUTO else settings.input,
        output,
        settings.channels,
        settings.rate,
        settings.block,
        settings.allowance,
    )
