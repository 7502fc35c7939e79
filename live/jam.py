"""`tatumflow jam`: the companion on real ports, with a screen, without one, or as a demonstration."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.messages import Notice
from tatumflow.engine.regular_file import check_output
from tatumflow.live.engine_options import EngineOptions
from tatumflow.live.host import EngineHost
from tatumflow.live.interrupts import Interrupts
from tatumflow.live.settings import Settings, load_settings, save_settings, settings_path

_NOTICE_SECONDS: Final = 0.2


@dataclass(frozen=True)
class JamOptions:
    """What the command line asks for; None leaves it to the settings.

    Attributes:
        headless: Play on ports without a screen, until interrupted.
        input_port: MIDI input.
        output_port: MIDI output.
        virtual: Whether to offer ports to a DAW.
        api: MIDI system.
        model: Model bundle.
        audio: Settings of the audio input, by name; any of them makes it heard.
        controls: Live controls to begin with, by name.
        synth: Whether the built-in synthesizer plays.
        osc: UDP port that Open Sound Control is listened to at; 0 for none.
        record: File to record to.
        settings_file: Settings instead of the player's own.
    """

    headless: bool = False
    input_port: str | None = None
    output_port: str | None = None
    virtual: bool | None = None
    api: str | None = None
    model: str | None = None
    audio: Mapping[str, object] = field(default_factory=dict)
    controls: Mapping[str, str | float | int] = field(default_factory=dict)
    synth: bool = True
    osc: int | None = None
    record: Path | None = None
    settings_file: Path | None = None

    def settings(self) -> Settings:
        """Return the player's settings with these in their place.

        Raises:
            SettingError: if one of them does not fit.
        """
        settings = load_settings(self.settings_file).with_controls(**self.controls)
        ports = {
            "input": self.input_port,
            "output": self.output_port,
            "virtual": self.virtual,
            "api": self.api,
        }
        settings = settings.with_ports(**{name: value for name, value in ports.items() if value is not None})
        if self.audio:
            settings = settings.with_audio(enabled=True, **self.audio)
        if self.osc is not None:
            settings = settings.with_osc(self.osc)
        if not self.synth:
            settings = settings.model_copy(
                update={"synth": settings.synth.model_copy(update={"enabled": False})}
            )
        return settings if self.model is None else settings.model_copy(update={"model": self.model})


def jam(options: JamOptions) -> None:
    """Play until the player has enough.

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
            need_input=bool(options.input_port) and options.input_port != "auto",
            need_output=bool(options.output_port),
            need_ears=bool(options.audio),
            recording=options.record,
        )
    )
    try:
        host.start()
        if options.headless:
            _wait(host)
        else:
            from tatumflow.live.tui.app import TatumFlowApp

            first_run = options.settings_file is None and not settings_path().exists()
            heard = options.input_port or settings.audio.enabled
            TatumFlowApp(host, pick_ports=first_run and not heard).run()
            remember(options.settings_file, settings, host.settings)
    except KeyboardInterrupt:
        pass
    finally:
        host.close()
    snapshot = host.latest()
    if snapshot is not None and snapshot.recording and Path(snapshot.recording).exists():
        print(f"recorded in {snapshot.recording}")
    audio = host.audio()
    if audio is not None and audio.recording and Path(audio.recording).exists():
        print(f"stems recorded in {audio.recording}")
    if host.failure:
        raise TatumFlowError(host.failure)


def remember(file: Path | None, before: Settings, after: Settings) -> None:
    """Keep what was changed on the screen; what only the command line asked for is not kept."""
    kept = load_settings(file)
    controls = {
        name: value
        for name, value in asdict(after.controls).items()
        if value != getattr(before.controls, name)
    }
    ports = {
        side: getattr(after.ports, side)
        for side in ("input", "output")
        if getattr(after.ports, side) != getattr(before.ports, side)
    }
    kept = kept.model_copy(update={"controls": replace(kept.controls, **controls)}).with_ports(**ports)
    if after.controllers != before.controllers:
        kept = kept.model_copy(update={"controllers": after.controllers})
    if after.audio.stem != before.audio.stem:
        kept = kept.with_audio(stem=after.audio.stem)
    save_settings(kept, file)


def _wait(host: EngineHost) -> None:
    """Print what the engine has to say until it ends or somebody interrupts."""
    # Ending in order is what saves the recording; the default is to die on the spot.
    handler = Interrupts()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
    snapshot = host.latest()
    if snapshot is not None:
        heard = [port.name for port in snapshot.inputs if port.connected]
        audio = host.audio()
        if audio is not None and audio.playing:
            heard.append(f"{audio.playing} of {audio.input}")
        heard = heard or ["no input yet"]
        played = [port.name for port in snapshot.outputs if port.connected] or ["no output yet"]
        print(f"model {snapshot.model}; in: {', '.join(heard)}; out: {', '.join(played)}; stop with Ctrl+C")
        _print_notices(snapshot.notices)
    said = ""
    while not host.wait(_NOTICE_SECONDS):
        if host.failure != said:
            said = host.failure
            print(f"error: {said}", flush=True)
        snapshot = host.latest()
        if snapshot is not None:
            _print_notices(snapshot.notices)


def _print_notices(notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        print(f"{notice.severity}: {notice.text}" if notice.severity != "information" else notice.text)
    sys.stdout.flush()


def _demonstrate(settings: Settings) -> None:
    """Play the bundled phrase to the companion, show its answer, and write it as .mid and .wav."""
    from tatumflow.live.demonstration import demonstrate

    print("no terminal: a bundled phrase plays to the companion; `tatumflow jam --headless` plays on ports")
    demonstrate(settings, Path("outputs"))
