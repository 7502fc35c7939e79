"""`tatumflow jam`: the companion on real ports, with a screen, without one, or as a demonstration."""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.messages import Notice
from tatumflow.live.commands.interrupts import Interrupts
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.settings import AUTO, Settings, load_settings, settings_path
from tatumflow.live.settings_saver import SettingsSaver

_NOTICE_SECONDS: Final = 0.2
_ENDING_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclass(frozen=True)
class JamOptions:
    """What the command line gives.

    Attributes:
        headless: Play on ports without a screen, until interrupted.
        changes: Controls and settings in place of the user's, as `Settings.with_changes` names them. One of
            the audio input also turns it on, unless they set `audio.enabled` too.
        record: File to record to.
        settings_file: Settings file instead of the user's own.
    """

    headless: bool = False
    changes: Mapping[str, object] = field(default_factory=dict)
    record: Path | None = None
    settings_file: Path | None = None

    def settings(self) -> Settings:
        """Return the user's settings with the changes.

        Raises:
            SettingError: if one of them does not fit.
        """
        first = {"audio.enabled": True} if self.needs_audio else {}
        return load_settings(self.settings_file).with_changes(first | dict(self.changes))

    @property
    def needs_audio(self) -> bool:
        """Whether the changes set the audio input, so that playing without it would be an error."""
        return any(name.partition(".")[0] == "audio" for name in self.changes)

    @property
    def needs_input(self) -> bool:
        """Whether they name a MIDI input."""
        return self.changes.get("ports.input", "") not in ("", AUTO)

    @property
    def needs_output(self) -> bool:
        """Whether they name a MIDI output."""
        return bool(self.changes.get("ports.output"))


def jam(options: JamOptions) -> None:
    """Play until the user ends it.

    Raises:
        TatumFlowError: if a setting does not fit, or the engine cannot start.
    """
    settings = options.settings()
    if options.record is not None:
        check_output(options.record, makes_folder=True)
    if not options.headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        _demonstrate(settings)
        return
    host = EngineHost(
        EngineOptions(
            settings,
            need_input=options.needs_input,
            need_output=options.needs_output,
            need_ears=options.needs_audio and settings.audio.enabled,
            recording=options.record,
        )
    )
    session = _Session(host)
    _end_in_order()
    try:
        host.start()
        if options.headless:
            _wait(host)
        else:
            from tatumflow.live.tui.app import TatumFlowApp

            first_run = options.settings_file is None and not settings_path().exists()
            has_input = options.changes.get("ports.input") or settings.audio.enabled
            session.save_settings(options.settings_file)
            session.end_with_the_terminal()
            TatumFlowApp(
                host, pick_ports=first_run and not has_input, instrument=settings.screen.instrument
            ).run()
    except KeyboardInterrupt:
        pass
    finally:
        # One Ctrl+C is enough: ten of them must not cost the recording.
        _ignore_signals()
        session.end()
    _print_where_recorded(host)
    if host.failure:
        raise TatumFlowError(host.failure)


class _Session:
    """A session that is ended once, by the main thread or, when the terminal was closed, by another."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host
        self._saver: SettingsSaver | None = None
        self._ending = threading.Lock()
        self._ended = False
        self._without_terminal = False

    def save_settings(self, file: Path | None) -> None:
        """Save from now on what is changed; names of styles that the model completed are not."""
        host = self._host
        self._saver = SettingsSaver(lambda: host.settings, host.settings, file, host.notify)

    def end_with_the_terminal(self) -> None:
        """End the session when the terminal is closed, and the process with it.

        The screen may never end: Textual can wait for ever to write to a terminal that has gone.
        """
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._hung_up)

    def end(self) -> None:
        """End the engine, then save the settings; does nothing the second time.

        Raises:
            SettingError: if they cannot be saved.
        """
        with self._ending:
            if not self._ended:
                self._ended = True
                self._host.close()
                if self._saver is not None:
                    self._saver.close()
        if self._without_terminal:
            os._exit(1 if self._host.failure else 0)

    def _hung_up(self, number: int, frame: object) -> None:
        self._without_terminal = True
        threading.Thread(target=self._end_alone, name="terminal closed").start()

    def _end_alone(self) -> None:
        try:
            self.end()
        finally:
            os._exit(1)


def _print_where_recorded(host: EngineHost) -> None:
    snapshot, audio = host.latest(), host.audio()
    if snapshot is not None:
        _print_notices(snapshot.notices)
        if snapshot.recording and Path(snapshot.recording).exists():
            _print(f"recorded in {snapshot.recording}")
    if audio is not None and audio.recording and Path(audio.recording).exists():
        _print(f"stems recorded in {audio.recording}")


def _end_in_order() -> None:
    """Let every signal that ends a session do it as Ctrl+C does; the default ends the process at once."""
    handler = Interrupts()
    for name in _ENDING_SIGNALS:
        number = getattr(signal, name, None)
        # `nohup` starts a session that outlives its terminal.
        if number is not None and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for name in _ENDING_SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _wait(host: EngineHost) -> None:
    """Print the notices of the engine until it ends or is interrupted."""
    snapshot = host.latest()
    if snapshot is not None:
        heard = [port.name for port in snapshot.inputs if port.connected]
        audio = host.audio()
        if audio is not None and audio.playing:
            heard.append(f"{audio.playing} of {audio.input}")
        heard = heard or ["no input yet"]
        played = [port.name for port in snapshot.outputs if port.connected] or ["no output yet"]
        _print(f"model {snapshot.model}; in: {', '.join(heard)}; out: {', '.join(played)}; stop with Ctrl+C")
        _print_notices(snapshot.notices)
    printed = ""
    while not host.wait(_NOTICE_SECONDS):
        if host.failure != printed:
            printed = host.failure
            _print(f"error: {printed}")
        snapshot = host.latest()
        if snapshot is not None:
            _print_notices(snapshot.notices)


def _print_notices(notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        _print(f"{notice.severity}: {notice.text}" if notice.severity != "information" else notice.text)


def _print(line: str) -> None:
    """Print a line; one that cannot be written, as to a closed terminal, is dropped, and all after it."""
    try:
        print(line, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _demonstrate(settings: Settings) -> None:
    """Play the bundled phrase to the companion, show its answer, and write it as .mid and .wav."""
    from tatumflow.live.commands.demonstration import demonstrate

    print("no terminal: a bundled phrase plays to the companion; `tatumflow jam --headless` plays on ports")
    demonstrate(settings, Path("outputs"))
