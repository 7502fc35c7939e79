"""The settings: those of the package, below the user's own file, below what the command line gives."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_origin

import yaml
from platformdirs import user_config_path, user_music_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from tatumflow.engine.controls import CONTROL_SPECS, Controls
from tatumflow.engine.errors import ChartError, SettingError, TatumFlowError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.harmony.chart import names_file
from tatumflow.engine.harmony.instruments import Instrument
from tatumflow.live.charts import read_chords
from tatumflow.live.setting_errors import plain_error, shown
from tatumflow.live.steering.control_surface import checked_assignments

AUTO: Final = "auto"
"""Leaves a port or a device to the program."""

_DEFAULT_CONTROLS: Final = Controls()
_LOWEST_RATE: Final = 8000


def _controls(value: object) -> Controls:
    if isinstance(value, Controls):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is not a list of `name: value` lines")
    try:
        return _changed(_DEFAULT_CONTROLS, {str(name): given for name, given in value.items()})
    except SettingError as error:
        raise ValueError(str(error)) from None


def _changed(controls: Controls, values: Mapping[str, object]) -> Controls:
    """Return controls with some of them set as a user sets them: a chart may be a file, which is read.

    The file of a head keeps its name, in full: other processes may run in other folders.
    """
    chords = values.get("chords")
    if isinstance(chords, str):
        try:
            values = {**values, "chords": read_chords(chords)}
        except ChartError as error:
            raise SettingError(f"chords: {error}") from None
    head = values.get("head")
    if isinstance(head, str) and head:
        values = {**values, "head": str(Path(head).expanduser().absolute())}
    return controls.with_all(values)


def _changed_controls(controls: Controls) -> dict[str, str | float | int]:
    return {name: value for name, value in asdict(controls).items() if value != CONTROL_SPECS[name].default}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class PortSettings(_Section):
    """MIDI ports.

    Attributes:
        api: The MIDI system; auto takes the first that answers.
        input: Port to listen to, by name or a part of it; "auto" takes the first keyboard, empty takes none.
        output: Port to play on besides the virtual one and the synthesizer; empty for none.
        virtual: Whether to offer ports of our own to a DAW, where the system can.
        virtual_name: What those ports are called, before " in" and " out".
        transpose: Semitones by which what you play is moved as it comes in, up or down: -2 for a wind
            controller in Bb that sends what is written.
        thru: Whether what you play is played on at once to every output.
        companion_channel: MIDI channel of the companion, 1 to 16; yours stays as your keyboard sends it.
        bass_channel: MIDI channel of the band's bass, 1 to 16.
        comping_channel: That of its chords.
        drums_channel: That of its drums; the built-in synthesizer has drums on 10.
    """

    api: Literal["auto", "alsa", "jack", "coremidi", "winmm"] = "auto"
    input: str = "auto"
    output: str = ""
    virtual: bool = True
    virtual_name: str = Field(default="TatumFlow", min_length=1, max_length=32)
    transpose: int = Field(default=0, ge=-24, le=24)
    thru: bool = True
    companion_channel: int = Field(default=2, ge=1, le=16)
    bass_channel: int = Field(default=3, ge=1, le=16)
    comping_channel: int = Field(default=4, ge=1, le=16)
    drums_channel: int = Field(default=10, ge=1, le=16)


class ScreenSettings(_Section):
    """The screen.

    Attributes:
        instrument: Key of your instrument: chords and pitches are shown as you read them, and sound as they
            are. Bb for trumpet, clarinet, tenor and soprano saxophone, Eb for alto and baritone, F for horn.
    """

    instrument: Instrument = "C"


class SynthSettings(_Section):
    """The built-in synthesizer.

    Attributes:
        enabled: Whether it plays.
        soundfont: An .sf2 or .sf3 file; empty takes the best found, see `tatumflow sounds`.
        bass_soundfont: That of the basses, the band's too; empty takes `soundfont`.
        comping_soundfont: That of the band's chords, where they have another program than the players.
        drums_soundfont: That of the drums.
        driver: FluidSynth's audio driver, such as pulseaudio or jack; empty lets it choose.
        gain: Loudness, 0 to 5.
        program: General MIDI program of both players, 0 to 127; 0 is a grand piano.
        bass_program: That of the band's bass; 32 is an acoustic bass.
        comping_program: That of its chords; 26 is a jazz guitar, which keeps them apart from two pianos.
        drum_kit: Its drum kit, where the SoundFont has it: 32 is a jazz kit, 40 has brushes, 0 is standard.
    """

    enabled: bool = True
    soundfont: str = ""
    bass_soundfont: str = ""
    comping_soundfont: str = ""
    drums_soundfont: str = ""
    driver: str = ""
    gain: float = Field(default=0.6, ge=0.0, le=5.0)
    program: int = Field(default=0, ge=0, le=127)
    bass_program: int = Field(default=32, ge=0, le=127)
    comping_program: int = Field(default=26, ge=0, le=127)
    drum_kit: int = Field(default=32, ge=0, le=127)


def _rate(value: int) -> int:
    if value and value < _LOWEST_RATE:
        raise ValueError(f"{value} is neither 0 nor a rate from {_LOWEST_RATE} on")
    return value


class AudioSettings(_Section):
    """The audio input: how its sound is separated into stems, and which stem is transcribed.

    Attributes:
        enabled: Whether a session listens to one.
        separator: Name or folder of the model that separates the sound; empty for the first found, and
            "none" for none: the sound stays whole, as one stem called input.
        input: Device to listen to, by name, a part of it or its number; "auto" takes the system's.
        output: Device that plays the stems, likewise; empty for none, which "auto" means without a
            separator: a microphone beside its own loudspeakers howls.
        channels: Input channels for left and right, counted from 1; one alone for a mono source.
            Empty for the first two, or the only one.
        rate: Frames a second; 0 for the separator's where the device takes it, else the device's own.
        block: Frames of a device's block, 16 to 4,096.
        allowance: Seconds for computing a block, 0 to 2; more delays the stems, less may be too little.
            None for what is measured of the separator.
        stem: The stem that the companion plays with; empty for none. The one called input needs no separator.
        voices: Whether that stem plays one note at a time, as a horn does, or many.
        record: Whether the stems are recorded, beside the session.
    """

    enabled: bool = False
    separator: str = ""
    input: str = AUTO
    output: str = AUTO
    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(), max_length=2)
    rate: Annotated[int, Field(ge=0, le=384_000), AfterValidator(_rate)] = 0
    block: int = Field(default=256, ge=16, le=4096)
    allowance: float | None = Field(default=None, ge=0.0, le=2.0)
    stem: str = ""
    voices: Literal["one", "many"] = "one"
    record: bool = False


class OscSettings(_Section):
    """The port of Open Sound Control.

    Attributes:
        port: UDP port, to 65,535; 0 listens to none.
        host: Address to listen at: 127.0.0.1 takes what this computer sends, 0.0.0.0 what the network does.
    """

    port: int = Field(default=0, ge=0, le=65_535)
    host: str = Field(default="127.0.0.1", min_length=1)


def _assignments(value: dict[str, int]) -> dict[str, int]:
    try:
        return checked_assignments(value)
    except SettingError as error:
        raise ValueError(str(error)) from None


class RecordingSettings(_Section):
    """The recording of a session as a two-track MIDI file.

    Attributes:
        enabled: Whether sessions are recorded.
        folder: Where to; empty takes TatumFlow in your music folder.
    """

    enabled: bool = True
    folder: str = ""

    @property
    def path(self) -> Path:
        """Return the folder in force."""
        return Path(self.folder).expanduser() if self.folder else user_music_path() / "TatumFlow"


class Settings(_Section):
    """Everything that is kept from one session to the next.

    Attributes:
        ports: MIDI ports.
        screen: The screen.
        synth: The built-in synthesizer.
        audio: The audio input.
        recording: The recording.
        osc: The port of Open Sound Control.
        controllers: Numbers of the MIDI controllers that steer, by the control or action that they steer.
        model: Name or folder of the model bundle; empty takes the one that comes with the package.
        controls: Live controls at the start.
    """

    # Factories, since pydantic before 2.9 cannot describe a field whose default is a model.
    ports: PortSettings = Field(default_factory=PortSettings)
    screen: ScreenSettings = Field(default_factory=ScreenSettings)
    synth: SynthSettings = Field(default_factory=SynthSettings)
    audio: AudioSettings = Field(default_factory=AudioSettings)
    recording: RecordingSettings = Field(default_factory=RecordingSettings)
    osc: OscSettings = Field(default_factory=OscSettings)
    controllers: Annotated[dict[str, int], AfterValidator(_assignments)] = Field(default_factory=dict)
    model: str = ""
    controls: Annotated[Controls, BeforeValidator(_controls), PlainSerializer(_changed_controls)] = Field(
        default_factory=Controls
    )

    def with_ports(self, **changes: object) -> "Settings":
        """Return these settings with some of the port settings changed, checked as from a file.

        Raises:
            SettingError: if a value does not fit.
        """
        return self._overlaid({"ports": changes}, "settings")

    def with_audio(self, **changes: object) -> "Settings":
        """Return these settings with some of the audio input's changed, checked as from a file.

        Raises:
            SettingError: if a value does not fit.
        """
        return self._overlaid({"audio": changes}, "settings")

    def with_controls(self, **changes: object) -> "Settings":
        """Return these settings with some of the live controls changed together.

        Raises:
            SettingError: if a control is unknown or a value does not fit.
        """
        return self.model_copy(update={"controls": _changed(self.controls, changes)})

    def with_changes(self, changes: Mapping[str, object]) -> "Settings":
        """Return these settings with some of them changed, as the command line's `--set` names them.

        Args:
            changes: Values by name: a control, such as "temperature"; a setting in its section, such as
                "audio.stem"; or what has no section, such as "model". Text is read as in a settings file;
                where the setting is text itself, it stays as it is.

        Raises:
            SettingError: if there is no such setting, or a value does not fit.
        """
        controls: dict[str, object] = {}
        content: dict[str, Any] = {}
        for name, value in changes.items():
            first, dot, field = name.partition(".")
            if not dot and name in CONTROL_SPECS:
                first, dot, field = "controls", ".", name
            if first not in Settings.model_fields:
                raise SettingError(_unknown(name))
            value = _read(value) if isinstance(value, str) and not _is_text(first, field) else value
            if first == "controls" and dot:
                controls[field] = value
            else:
                content = _overlaid(content, {first: {field: value} if dot else value})
        return self._overlaid(content, "").with_controls(**controls)

    def _overlaid(self, content: dict[str, Any], where: str) -> "Settings":
        return _validated(_overlaid(self.model_dump(), content), where) if content else self


def settings_path() -> Path:
    """Return the user's settings file: $TATUMFLOW_SETTINGS, or settings.yaml in the user's folder."""
    given = os.environ.get("TATUMFLOW_SETTINGS")
    return (
        Path(given).expanduser()
        if given
        else user_config_path("tatumflow", appauthor=False) / "settings.yaml"
    )


def load_settings(path: Path | None = None) -> Settings:
    """Return the package's defaults overlaid by the user's file, if there is one.

    Args:
        path: The user's file; None for `settings_path()`.

    Raises:
        SettingError: if a file is not YAML, or holds an unknown field or a value that does not fit; names the
            file and the field.
    """
    path = settings_path() if path is None else path
    shipped = resources.files("tatumflow.configs") / "live" / "default.yaml"
    content = _parsed(shipped.read_text(encoding="utf-8"), "default.yaml")
    try:
        content = _overlaid(content, _parsed(path.read_text(encoding="utf-8"), str(path)))
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: cannot be read ({error}); mend or delete it") from None
    return _validated(content, str(path))


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the user's file, whole or not at all.

    Where the file names a chart's file that holds the chart in force, the name stays.

    Raises:
        SettingError: if it cannot be written.
    """
    path = settings_path() if path is None else path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = settings.model_dump(mode="json")
        chart_file = _chart_file(path, settings.controls.chords)
        if chart_file:
            content["controls"]["chords"] = chart_file
        write_whole(path, yaml.safe_dump(content, sort_keys=False))
    except OSError as error:
        raise SettingError(f"{path}: settings not saved ({error.strerror}); check folder and disk") from None


def _chart_file(path: Path, chords: str) -> str:
    """Return the chart file that a settings file names, if it holds the chart `chords`; else nothing."""
    try:
        named = _parsed(path.read_text(encoding="utf-8"), str(path))["controls"]["chords"]
        return named if chords and names_file(named) and read_chords(named) == chords else ""
    except (OSError, ValueError, LookupError, TypeError, AttributeError, TatumFlowError):
        return ""


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise SettingError(f"{where}: is not valid YAML{line}; mend or delete it") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingError(f"{where}: does not hold `name: value` lines; mend or delete it")
    return content


def _overlaid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for name, value in above.items():
        lower = both.get(name)
        both[name] = _overlaid(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
    return both


def _validated(content: dict[str, Any], where: str) -> Settings:
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        reason = plain_error(Settings, error)
        raise SettingError(f"{where}: {reason}" if where else reason) from None


def setting_names() -> tuple[str, ...]:
    """Return the name of every setting as `--set` takes it; a control needs no section before it."""
    names: list[str] = []
    for name in Settings.model_fields:
        section = _section(name)
        if section is not None:
            names += [f"{name}.{field}" for field in section.model_fields]
        elif name != "controls":
            names.append(name)
    return (*names, *CONTROL_SPECS)


def _unknown(name: str) -> str:
    names = setting_names()
    close = [known for known in names if known.endswith(f".{name}")] or get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{name!r} is not a control or a setting; {hint}`tatumflow controls` lists them all"


def _section(name: str) -> type[BaseModel] | None:
    annotation = Settings.model_fields[name].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _is_text(first: str, field: str) -> bool:
    """Return whether a setting is text, which needs no quotation marks on the command line."""
    if first == "controls":
        return field in CONTROL_SPECS and not CONTROL_SPECS[field].is_number
    section = _section(first)
    fields = Settings.model_fields if section is None else section.model_fields
    info = fields.get(field or first)
    return info is not None and (info.annotation is str or get_origin(info.annotation) is Literal)


def _read(text: str) -> object:
    """Return the value that text has in a settings file."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
