"""The command line: reads arguments, calls the command, and turns expected errors into one line."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live import models_cli, morph_cli, presets_cli, roll_cli, score_cli, sounds_cli
from tatumflow.live.book import cli as book_cli
from tatumflow.live.command_groups import GroupedCommands
from tatumflow.live.commands.interrupts import INTERRUPTED, Interrupts
from tatumflow.live.setting_options import SettingOption, settable
from tatumflow.live.soak.kind import Soak

if TYPE_CHECKING:
    from tatumflow.engine.midi.midi_file import MidiTrack
    from tatumflow.live.presets import PresetCommand

_EPILOG = """\b
Examples:
  tatumflow                              start a jam, on a terminal
  tatumflow jam --tune "blues in F" --trade 4 --set metronome=0.5
  tatumflow play phrase.mid -o answer.mid
  tatumflow COMMAND --help               options and examples of a command

\b
Exit status: 0 fine; 1 an error, which is one line on standard error;
2 a command or an option that does not exist or lacks a value; 130 Ctrl+C.

NO_COLOR=1 leaves out colours."""

app = typer.Typer(
    help="A real-time MIDI improvisation companion: you play, it answers.",
    epilog=_EPILOG,
    cls=GroupedCommands,
    invoke_without_command=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

NOTES_LIMIT = 20_000
"""Notes that a file to answer may have, where no limit is given: half an hour of dense piano playing."""

_Changes = Mapping[str, object]
_NONE: _Changes = {}
_LimitNotes = Annotated[
    int, typer.Option("--limit-notes", min=1, help="Notes that IN.mid may have; answering many takes long.")
]
_Settings = Annotated[Path | None, typer.Option("--settings", help="Settings file instead of your own.")]
_Model = Annotated[str | None, typer.Option("--model", help="Model bundle: a name or a folder.")]

_MODEL = SettingOption("--model", "model", "Model bundle: a name or a folder.")
_Preset = Annotated[
    str | None, typer.Option("--preset", help="Preset, such as bird; `tatumflow presets` lists them.")
]
_BAND = SettingOption("--band", "band", "Bass, comping and drums over the chart.", on=True)
_Tune = Annotated[
    str | None,
    typer.Option("--tune", help="Tune to play over: a chart's name, also of the book, its text or a file."),
]
_API = SettingOption("--api", "ports.api", "MIDI system: auto, alsa, jack, coremidi, winmm.")


def _controls(*names: str, hidden: bool = False) -> tuple[SettingOption, ...]:
    """Return an option for each of these controls, called like it."""
    return tuple(SettingOption(f"--{name.replace('_', '-')}", name, hidden=hidden) for name in names)


def _hidden(flags: str, setting: str, *, on: bool | None = None, many: bool = False) -> SettingOption:
    """Return an option that stays for commands written before `--set`."""
    return SettingOption(flags, setting, on=on, many=many, hidden=True)


_OF_JAM = (
    SettingOption("--in", "ports.input", "MIDI input: name, part, number."),
    SettingOption("--out", "ports.output", "MIDI output, likewise."),
    _MODEL,
    *_controls("style", "mode", "tempo"),
    SettingOption("--trade", "trade_bars"),
    _BAND,
    *_controls("head", hidden=True),
    *_controls("chords", "swing", "grid_pull", "temperature", "seed", "count_in", "metronome", hidden=True),
    *_controls("band_style", "clock", hidden=True),
    SettingOption("--transpose", "ports.transpose", "Semitones that your notes are moved by.", hidden=True),
    _hidden("--osc", "osc.port"),
    _hidden("--api", "ports.api"),
    _hidden("--virtual/--no-virtual", "ports.virtual", on=True),
    _hidden("--clock-out/--no-clock-out", "clock_out", on=True),
    _hidden("--no-synth", "synth.enabled", on=False),
    _hidden("--stem", "audio.stem"),
    _hidden("--voices", "audio.voices"),
    _hidden("--separator", "audio.separator"),
    _hidden("--audio-input", "audio.input"),
    _hidden("--audio-channel", "audio.channels", many=True),
    _hidden("--audio-output", "audio.output"),
    _hidden("--allowance", "audio.allowance"),
    _hidden("--record-stems", "audio.record", on=True),
)
_OF_PLAY = (*_controls("mode", "style", "temperature", "seed"), _MODEL, *_controls("chords", "tempo"), _BAND)
_OF_GENERATE = (
    *_controls("mode", "chords", "tempo", "style", "temperature", "seed"),
    _MODEL,
    _BAND,
    *_controls("band_style"),
    *_controls("swing", "grid_pull", "surprise", "pace", "dynamics", "phrases", hidden=True),
    *_controls("style_b", "style_blend", "style_strength", hidden=True),
)


def _print_version(requested: bool) -> None:
    if requested:
        try:
            print(f"tatumflow {version('tatumflow')}")
        except PackageNotFoundError:
            print("tatumflow, not installed as a package")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    show_version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """A real-time MIDI improvisation companion: you play, it answers."""
    if context.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(context.get_help())
        return
    from tatumflow.live.commands.jam import JamOptions, jam

    jam(JamOptions())


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Examples:
  tatumflow jam --tune "blues in F" --tempo 132 --trade 4 --band
  tatumflow jam --preset bird --tune "blues in F"
  tatumflow jam --in Keystation --style charlie-parker --set temperature=1.2
  tatumflow jam --set audio.stem=input       play to a microphone
  tatumflow jam --headless --set synth.enabled=false --clock midi

A setting of `audio` also turns the audio input on, unless audio.enabled is set too.""",
)
@settable(*_OF_JAM)
def jam(
    preset: _Preset = None,
    tune: _Tune = None,
    headless: Annotated[bool, typer.Option("--headless", help="Play on ports without a screen.")] = False,
    changes: _Changes = _NONE,
    record: Annotated[Path | None, typer.Option("--record", help="Record both players to this .mid.")] = None,
    settings: _Settings = None,
) -> None:
    """Play with the companion. Without a terminal, it answers a bundled phrase."""
    from tatumflow.live.commands.jam import JamOptions, jam
    from tatumflow.live.commands.tune import over_tune
    from tatumflow.live.presets import with_preset

    changes = with_preset(preset, "jam", over_tune(tune, changes))
    jam(JamOptions(headless=headless, changes=changes, record=record, settings_file=settings))


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Examples:
  tatumflow play -o answer.mid --wav answer.wav
  tatumflow play phrase.mid -o answer.mid --seed 7
  tatumflow play phrase.mid -o answer.mid --wav answer.wav --mode continue
  tatumflow play phrase.mid -o answer.mid --set surprise=0.9""",
)
@settable(*_OF_PLAY)
def play(
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write: your track and the companion's.")],
    source: Annotated[
        Path | None,
        typer.Argument(metavar="IN.mid", help="What you played; a bundled phrase if not given."),
    ] = None,
    preset: _Preset = None,
    changes: _Changes = _NONE,
    wav: Annotated[Path | None, typer.Option("--wav", help="Render both players to this file too.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the timing figures here.")] = None,
    limit_notes: _LimitNotes = NOTES_LIMIT,
    settings: _Settings = None,
) -> None:
    """Let the companion answer a MIDI file; the same seed gives the same notes."""
    from tatumflow.live.commands.demonstration import bundled_phrase
    from tatumflow.live.commands.play import PlayOptions, play
    from tatumflow.live.presets import with_preset

    play(
        PlayOptions(
            source=source or bundled_phrase(),
            out=out,
            wav=wav,
            json=json,
            changes=with_preset(preset, "play", changes),
            limit_notes=limit_notes,
            settings_file=settings,
        )
    )


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Examples:
  tatumflow generate -o blues.mid --chords "blues in F" --tempo 160 --seconds 60
  tatumflow generate -o bird.mid --preset bird --tune "rhythm changes" --choruses 2 --band
  tatumflow generate phrase.mid -o restyled.mid --mode restyle --style art-tatum
  tatumflow generate phrase.mid -o other.mid --mode reharmonize \\
      --chords "Dm7 | G7 | Cmaj7" --set pace=0.5""",
)
@settable(*_OF_GENERATE)
def generate(
    out: Annotated[Path, typer.Option("-o", "--out", help="MIDI file to write.")],
    source: Annotated[
        Path | None, typer.Argument(metavar="[IN.mid]", help="What to play on from; nothing to improvise.")
    ] = None,
    preset: _Preset = None,
    tune: _Tune = None,
    choruses: Annotated[
        int | None,
        typer.Option("--choruses", min=1, max=100, help="Choruses of the tune, 1 to 100; 1 by default."),
    ] = None,
    changes: _Changes = _NONE,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=1, max=3600, help="Length without IN.mid or tune, 1 to 3600; 60."),
    ] = None,
    wav: Annotated[Path | None, typer.Option("--wav", help="Render it to this file too.")] = None,
    limit_notes: _LimitNotes = NOTES_LIMIT,
    settings: _Settings = None,
) -> None:
    """Make music in any mode: from a MIDI file, or alone over a chart."""
    from tatumflow.live.commands.play import PlayOptions, play
    from tatumflow.live.commands.tune import over_tune
    from tatumflow.live.presets import with_preset

    changes = with_preset(preset, "generate", over_tune(tune, changes))
    play(
        PlayOptions(
            source=source,
            out=out,
            wav=wav,
            changes=changes if source else {"mode": "improvise", **changes},
            limit_notes=limit_notes,
            settings_file=settings,
            seconds=seconds,
            choruses=1 if tune and not (choruses or seconds or source) else choruses,
        )
    )


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Examples:
  tatumflow render answer.mid -o answer.wav
  tatumflow render solo.mid -o solo.wav --band --chords "blues in F" --tempo 140
  tatumflow render session.mid -o mix.wav --stems stems
  tatumflow render *.mid -o sounds --mp3 --soundfont piano.sf2""",
)
@settable(*_controls("chords", "tempo"), _BAND, *_controls("band_style", hidden=True))
def render(
    sources: Annotated[list[Path], typer.Argument(metavar="IN.mid...", help="MIDI files.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="A .wav or .mp3 file, or a folder with a sound file for each."),
    ] = None,
    stems: Annotated[
        Path | None,
        typer.Option("--stems", metavar="DIR", help="Folder for a sound file of each track of IN.mid."),
    ] = None,
    mp3: Annotated[bool, typer.Option("--mp3", help="Write MP3, not WAV, into a folder.")] = False,
    soundfont: Annotated[
        Path | None, typer.Option("--soundfont", help="An .sf2 or .sf3 file instead of the settings'.")
    ] = None,
    settings: _Settings = None,
    changes: _Changes = _NONE,
) -> None:
    """Make sound files of MIDI files, with the band under them if it is on; the form begins at 0 s."""
    from tatumflow.live.commands.render import RenderOptions, render_files

    render_files(RenderOptions(sources, out, mp3, soundfont, settings, changes, stems))


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Example:
  tatumflow controls | grep -A 3 surprise""",
)
def controls(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/controls.md of the documentation.")
    ] = False,
) -> None:
    """List every control and setting, with what it does and its range."""
    from tatumflow.live.commands.controls import print_controls

    print_controls(markdown=markdown)


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Example:
  tatumflow ports --api jack""",
)
@settable(_API)
def ports(changes: _Changes = _NONE, settings: _Settings = None) -> None:
    """List MIDI inputs and outputs, and audio devices."""
    from tatumflow.live.commands.doctor import print_audio_devices, print_ports
    from tatumflow.live.settings import load_settings

    try:
        print_ports(load_settings(settings).with_changes(changes))
    finally:
        print_audio_devices()


@app.command(
    rich_help_panel="Play",
    epilog="""\b
Example:
  tatumflow doctor --settings mine.yaml""",
)
def doctor(settings: _Settings = None) -> None:
    """Check what playing needs, and print what to do about what is missing."""
    from tatumflow.live.commands.doctor import examine
    from tatumflow.live.settings import load_settings

    examine(load_settings(settings))


@app.command(
    rich_help_panel="Listen",
    epilog="""\b
Examples:
  tatumflow listen --mute piano              play along without the pianist
  tatumflow listen --in USB --channel 2 --record stems""",
)
def listen(
    input_device: Annotated[str, typer.Option("--in", help="Audio input: name, part, number.")] = "",
    output_device: Annotated[str, typer.Option("--out", help="Audio output, likewise.")] = "",
    monitor: Annotated[bool, typer.Option("--monitor/--no-monitor", help="Play the stems.")] = True,
    channel: Annotated[
        list[int] | None, typer.Option("--channel", help="Input channel, from 1; twice for left and right.")
    ] = None,
    separator: Annotated[str, typer.Option("--separator", help="Separator: a name, a folder, or none.")] = "",
    solo: Annotated[list[str] | None, typer.Option("--solo", help="Stem to hear alone.")] = None,
    mute: Annotated[list[str] | None, typer.Option("--mute", help="Stem to leave out.")] = None,
    record: Annotated[Path | None, typer.Option("--record", help="Record the stems to this folder.")] = None,
    allowance: Annotated[
        float | None, typer.Option("--allowance", help="Seconds for computing; measured by default.")
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="How long; else Ctrl+C.")] = None,
) -> None:
    """Separate the sound of an audio input into stems, live, and play them."""
    from tatumflow.live.audio.ears import AudioOptions
    from tatumflow.live.commands.listen import ListenOptions, listen

    audio = AudioOptions(
        input_device, output_device if monitor else None, tuple(channel or ()), allowance=allowance
    )
    listen(
        ListenOptions(audio, separator, tuple(solo or ()), tuple(mute or ()), record=record, seconds=seconds)
    )


@app.command(
    rich_help_panel="Listen",
    epilog="""\b
Example:
  tatumflow separate quartet.wav -o stems --stems horn,band=piano+bass+drums""",
)
def separate(
    source: Annotated[Path, typer.Argument(metavar="IN.wav", help="A sound file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the stems' files.")],
    stems: Annotated[
        str, typer.Option("--stems", help="Such as horn, or horn,band=piano+bass+drums; all if not given.")
    ] = "",
    separator: Annotated[str, typer.Option("--separator", help="Separator: a name or a folder.")] = "",
) -> None:
    """Separate a recording into stems."""
    from tatumflow.live.commands.separate import SeparateOptions, separate

    for path in separate(SeparateOptions(source, out, stems, separator)):
        print(path)


@app.command(
    rich_help_panel="Measure",
    epilog="""\b
Examples:
  tatumflow bench --json bench.json
  tatumflow bench --receive 1
  tatumflow bench --band""",
)
def bench(
    model: _Model = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    notes: Annotated[int, typer.Option("--notes", min=100, help="Samples of each figure.")] = 1000,
    peer: Annotated[
        Path | None, typer.Option("--peer", help="A Python with Notochord installed, to compare with.")
    ] = None,
    receive: Annotated[
        float, typer.Option("--receive", min=0, help="Minutes to time notes at another program's JACK port.")
    ] = 0,
    band: Annotated[
        bool, typer.Option("--band", help="Measure the band's music instead, in every style.")
    ] = False,
    charts: Annotated[
        Path | None, typer.Option("--charts", help="With --band: folder of charts; else the built-in ones.")
    ] = None,
) -> None:
    """Measure what a note costs on this machine, or what the band plays."""
    if band:
        from tatumflow.live.bench.band_command import bench_band

        bench_band(charts, json_path)
        return
    from tatumflow.live.bench.command import bench as measure

    measure(model or "", json_path, notes, peer, receive)


@app.command(
    rich_help_panel="Measure",
    epilog="""\b
Examples:
  tatumflow soak virtual --minutes 120 --json soak.json
  tatumflow soak storm --packets 100000
  tatumflow soak ears --minutes 10 --sound mixture.flac""",
)
def soak(
    kind: Annotated[
        Soak,
        typer.Argument(
            help="virtual: hours compressed; ports: real time on JACK; ears: so too, from a recording; "
            "storm: random MIDI; flood: controllers and OSC by the thousand while it plays."
        ),
    ] = Soak.VIRTUAL,
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, help="Minutes of playing.")] = 120,
    packets: Annotated[int, typer.Option("--packets", min=1, help="Packets of a storm.")] = 1_000_000,
    sound: Annotated[Path | None, typer.Option("--sound", help="Recording for the ears.")] = None,
    separator: Annotated[str, typer.Option("--separator", help="Separator for it.")] = "",
    stem: Annotated[str, typer.Option("--stem", help="Stem of it that plays.")] = "horn",
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, help="How long each flood lasts.")] = 10,
    band: Annotated[
        bool, typer.Option("--band", help="With the band and metronome: virtual, ports.")
    ] = False,
    model: _Model = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Play for hours, and count hung notes, lost note-offs and whatever grew."""
    from tatumflow.live.soak.command import soak as endure

    endure(
        kind,
        model or "",
        minutes,
        packets,
        json_path,
        sound=sound,
        separator=separator,
        stem=stem,
        seconds=seconds,
        band=band,
    )


def _write_sound(path: Path, tracks: "Sequence[MidiTrack]") -> None:
    """Write tracks as a sound file."""
    from tatumflow.live.midi.synth import render, write_sound
    from tatumflow.live.settings import load_settings

    write_sound(path, render(tracks, load_settings().synth))


def _preset_controls(name: str, command: "PresetCommand") -> dict[str, object]:
    """Return the live controls that a preset sets for a command, by name."""
    from tatumflow.live.presets import preset_controls

    return preset_controls(name, command)


class _Functions(NamedTuple):
    """Functions for the commands of other packages, which must not import this one.

    Attributes:
        write_sound: Writes tracks as a sound file.
        preset_controls: Returns the live controls that a preset sets for a command, by name.
    """

    write_sound: Callable[[Path, "Sequence[MidiTrack]"], None]
    preset_controls: Callable[[str, "PresetCommand"], dict[str, object]]


for _commands in (book_cli, presets_cli, score_cli, sounds_cli, morph_cli, roll_cli, models_cli):
    _commands.register(app)


@cache
def _mount_commands() -> None:
    """Add the commands of other packages, which this one must not import: training declares its own."""
    for found in entry_points(group="tatumflow.commands"):
        found.load()(app)


def main() -> None:
    """Run the command line; an expected error is one line on standard error and exit status 1.

    So is Ctrl+C, with exit status 130, however often it is pressed.
    """
    interrupts = Interrupts()
    interrupts.install()
    try:
        _mount_commands()
        app(obj=_Functions(_write_sound, _preset_controls), prog_name="tatumflow")
    except TatumFlowError as error:
        print(f"tatumflow: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        _say_interrupted()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _say_interrupted()
        raise
    except Exception:
        # What is interrupted in the middle of an import or a library may end in an error of another kind.
        if not interrupts.happened:
            raise
        _say_interrupted()
    finally:
        interrupts.ending = True
        if not interrupts.happened:
            interrupts.restore()


def _say_interrupted() -> NoReturn:
    print("tatumflow: interrupted", file=sys.stderr)
    sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
