"""The command line: reads arguments, calls what they ask for, and turns expected errors into one line."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.commands.interrupts import INTERRUPTED, Interrupts
from tatumflow.live.soak.kind import Soak

if TYPE_CHECKING:
    from tatumflow.engine.midi.midi_file import MidiTrack

app = typer.Typer(
    help="A real-time MIDI improvisation companion: you play, it answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

NOTES_LIMIT = 20_000
"""Notes that a file to answer may have, where nothing else is said: half an hour of dense piano playing."""

_Value = TypeVar("_Value")
_Model = Annotated[str | None, typer.Option("--model", help="Model bundle: a name or a folder.")]
_Style = Annotated[str | None, typer.Option("--style", help="Player to sound like, such as art-tatum.")]
_Temperature = Annotated[float | None, typer.Option("--temperature", help="0 to 2; higher is bolder.")]
_Seed = Annotated[int | None, typer.Option("--seed", help="The same seed gives the same notes.")]
_Mode = Annotated[
    str | None, typer.Option("--mode", help="answer, continue, improvise, restyle or reharmonize.")
]
_Chords = Annotated[
    str | None, typer.Option("--chords", help="Chart, such as 'Dm7 | G7 | Cmaj7' or 'blues in F', or a file.")
]
_Tempo = Annotated[float | None, typer.Option("--tempo", help="Beats per minute.")]
_Swing = Annotated[
    float | None, typer.Option("--swing", help="0 leaves off-beats, 1 makes them triplets; to 1.5.")
]
_GridPull = Annotated[
    float | None, typer.Option("--grid-pull", help="0 leaves the companion's timing, 1 puts it on the grid.")
]
_Surprise = Annotated[float | None, typer.Option("--surprise", help="0 follows your phrase, 1 leaves it.")]
_Api = Annotated[str | None, typer.Option("--api", help="MIDI system: auto, alsa, jack, coremidi, winmm.")]
_LimitNotes = Annotated[
    int, typer.Option("--limit-notes", min=1, help="Notes that IN.mid may have; answering many takes long.")
]
_Settings = Annotated[Path | None, typer.Option("--settings", help="Settings file instead of your own.")]


@app.command()
def jam(
    headless: Annotated[bool, typer.Option("--headless", help="Play on ports without a screen.")] = False,
    input_port: Annotated[str | None, typer.Option("--in", help="MIDI input: name, part, number.")] = None,
    output_port: Annotated[str | None, typer.Option("--out", help="MIDI output, likewise.")] = None,
    virtual: Annotated[
        bool | None, typer.Option("--virtual/--no-virtual", help="Offer ports to a DAW.", show_default=False)
    ] = None,
    api: _Api = None,
    model: _Model = None,
    style: _Style = None,
    mode: _Mode = None,
    temperature: _Temperature = None,
    seed: _Seed = None,
    chords: _Chords = None,
    tempo: _Tempo = None,
    clock: Annotated[
        str | None,
        typer.Option("--clock", help="Who gives the beat: internal, midi, link, or listen for your playing."),
    ] = None,
    trade: Annotated[
        int | None, typer.Option("--trade", help="Trade turns of 1 to 8 bars; 0 for free turns.")
    ] = None,
    count_in: Annotated[int | None, typer.Option("--count-in", help="Bars counted before them.")] = None,
    metronome: Annotated[float | None, typer.Option("--metronome", help="Volume of clicks, 0 to 1.")] = None,
    clock_out: Annotated[
        bool | None, typer.Option("--clock-out/--no-clock-out", help="Send MIDI clock.", show_default=False)
    ] = None,
    swing: _Swing = None,
    grid_pull: _GridPull = None,
    no_synth: Annotated[bool, typer.Option("--no-synth", help="Leave the built-in synth silent.")] = False,
    stem: Annotated[
        str | None, typer.Option("--stem", help="Stem of an audio input that plays; input for all of it.")
    ] = None,
    voices: Annotated[str | None, typer.Option("--voices", help="Notes at a time in it: one, many.")] = None,
    separator: Annotated[
        str | None, typer.Option("--separator", help="Separator: a name, a folder, or none.")
    ] = None,
    audio_input: Annotated[
        str | None, typer.Option("--audio-input", help="Audio input: name, part, number.")
    ] = None,
    audio_channel: Annotated[
        list[int] | None, typer.Option("--audio-channel", help="Its channel, from 1; twice for stereo.")
    ] = None,
    audio_output: Annotated[
        str | None, typer.Option("--audio-output", help="Audio output that plays the stems, likewise.")
    ] = None,
    allowance: Annotated[
        float | None, typer.Option("--allowance", help="Seconds for computing; measured by default.")
    ] = None,
    record_stems: Annotated[
        bool | None, typer.Option("--record-stems", help="Record the stems too.", show_default=False)
    ] = None,
    osc: Annotated[
        int | None, typer.Option("--osc", help="UDP port to take Open Sound Control at, such as 9000.")
    ] = None,
    record: Annotated[Path | None, typer.Option("--record", help="Record both players to this .mid.")] = None,
    settings: _Settings = None,
) -> None:
    """Play with the companion. Without a terminal, it answers a bundled phrase."""
    from tatumflow.live.commands.jam import JamOptions, jam

    jam(
        JamOptions(
            headless=headless,
            input_port=input_port,
            output_port=output_port,
            virtual=virtual,
            api=api,
            model=model,
            controls=_given(
                style=style,
                mode=mode,
                temperature=temperature,
                seed=seed,
                chords=chords,
                tempo=tempo,
                clock=clock,
                trade_bars=trade,
                count_in=count_in,
                metronome=metronome,
                clock_out=None if clock_out is None else int(clock_out),
                swing=swing,
                grid_pull=grid_pull,
            ),
            synth=not no_synth,
            osc=osc,
            audio=_given(
                stem=stem,
                voices=voices,
                separator=separator,
                input=audio_input,
                channels=tuple(audio_channel) if audio_channel else None,
                output=audio_output,
                allowance=allowance,
                record=record_stems,
            ),
            record=record,
            settings_file=settings,
        )
    )


@app.command()
def separate(
    source: Annotated[Path, typer.Argument(metavar="IN.wav", help="A sound file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the stems' files.")],
    stems: Annotated[
        str, typer.Option("--stems", help="Such as horn, or horn,band=piano+bass+drums; all if not given.")
    ] = "",
    separator: Annotated[str, typer.Option("--separator", help="Separator: a name or a folder.")] = "",
) -> None:
    """Take a recording apart into stems."""
    from tatumflow.live.commands.separate import SeparateOptions, separate

    for path in separate(SeparateOptions(source, out, stems, separator)):
        print(path)


@app.command()
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
    """Take apart live what an audio device hears, and play the stems you want."""
    from tatumflow.live.audio.ears import AudioOptions
    from tatumflow.live.commands.listen import ListenOptions, listen

    audio = AudioOptions(
        input_device, output_device if monitor else None, tuple(channel or ()), allowance=allowance
    )
    listen(
        ListenOptions(audio, separator, tuple(solo or ()), tuple(mute or ()), record=record, seconds=seconds)
    )


@app.command()
def play(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="What you played.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write: your track and the companion's.")],
    mode: _Mode = None,
    temperature: _Temperature = None,
    style: _Style = None,
    seed: _Seed = None,
    model: _Model = None,
    wav: Annotated[Path | None, typer.Option("--wav", help="Render both players to this file too.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the timing figures here.")] = None,
    limit_notes: _LimitNotes = NOTES_LIMIT,
    settings: _Settings = None,
) -> None:
    """Let the companion answer a MIDI file, on a clock of its own: the same seed gives the same notes."""
    from tatumflow.live.commands.play import PlayOptions, play

    play(
        PlayOptions(
            source=source,
            out=out,
            wav=wav,
            json=json,
            model=model,
            controls=_given(style=style, mode=mode, temperature=temperature, seed=seed),
            limit_notes=limit_notes,
            settings_file=settings,
        )
    )


@app.command()
def generate(
    out: Annotated[Path, typer.Option("-o", "--out", help="MIDI file to write.")],
    source: Annotated[
        Path | None, typer.Argument(metavar="[IN.mid]", help="What to play on from; nothing to improvise.")
    ] = None,
    mode: _Mode = None,
    chords: _Chords = None,
    tempo: _Tempo = None,
    surprise: _Surprise = None,
    pace: Annotated[
        float | None, typer.Option("--pace", help="Octaves faster, when restyling and reharmonizing.")
    ] = None,
    dynamics: Annotated[
        int | None, typer.Option("--dynamics", help="Steps of velocity louder, likewise.")
    ] = None,
    phrases: Annotated[
        int | None,
        typer.Option("--phrases", help="Length of a continuation in phrases like yours; 0 for 30 s."),
    ] = None,
    style: _Style = None,
    style_b: Annotated[str | None, typer.Option("--style-b", help="Second player to blend with.")] = None,
    style_blend: Annotated[float | None, typer.Option("--style-blend", help="Share of the second.")] = None,
    style_strength: Annotated[
        float | None, typer.Option("--style-strength", help="0 to 3; 1 as trained, more makes it plainer.")
    ] = None,
    temperature: _Temperature = None,
    seed: _Seed = None,
    swing: _Swing = None,
    grid_pull: _GridPull = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=3600, help="Length without IN.mid.")] = 60,
    model: _Model = None,
    wav: Annotated[Path | None, typer.Option("--wav", help="Render it to this file too.")] = None,
    limit_notes: _LimitNotes = NOTES_LIMIT,
    settings: _Settings = None,
) -> None:
    """Make music in any mode: from a MIDI file, or alone over a chart."""
    from tatumflow.live.commands.play import PlayOptions, play

    play(
        PlayOptions(
            source=source,
            out=out,
            wav=wav,
            model=model,
            controls=_given(
                mode=mode or (None if source else "improvise"),
                chords=chords,
                tempo=tempo,
                surprise=surprise,
                pace=pace,
                dynamics=dynamics,
                phrases=phrases,
                style=style,
                style_b=style_b,
                style_blend=style_blend,
                style_strength=style_strength,
                temperature=temperature,
                seed=seed,
                swing=swing,
                grid_pull=grid_pull,
            ),
            limit_notes=limit_notes,
            settings_file=settings,
            seconds=seconds,
        )
    )


@app.command()
def render(
    sources: Annotated[list[Path], typer.Argument(metavar="IN.mid...", help="MIDI files.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="A .wav or .mp3 file, or a folder with a sound file for each.")
    ],
    mp3: Annotated[bool, typer.Option("--mp3", help="Write MP3, not WAV, into a folder.")] = False,
    soundfont: Annotated[
        Path | None, typer.Option("--soundfont", help="An .sf2 or .sf3 file instead of the settings'.")
    ] = None,
    settings: _Settings = None,
) -> None:
    """Make sound files of MIDI files."""
    from tatumflow.live.commands.render import RenderOptions, render_files

    render_files(RenderOptions(sources, out, mp3, soundfont, settings))


@app.command()
def ports(api: _Api = None, settings: _Settings = None) -> None:
    """List MIDI inputs and outputs, and audio devices."""
    from tatumflow.live.commands.doctor import print_audio_devices, print_ports
    from tatumflow.live.settings import load_settings

    try:
        print_ports(load_settings(settings), api)
    finally:
        print_audio_devices()


@app.command()
def models(
    styles: Annotated[bool, typer.Option("--styles", help="List the styles of each model too.")] = False,
) -> None:
    """List the models at hand."""
    from tatumflow.live.commands.doctor import print_models

    print_models(styles=styles)


@app.command()
def bench(
    model: _Model = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    notes: Annotated[int, typer.Option("--notes", min=100, help="Samples of each figure.")] = 1000,
    peer: Annotated[
        Path | None, typer.Option("--peer", help="A Python that has Notochord, to set beside.")
    ] = None,
    receive: Annotated[
        float, typer.Option("--receive", min=0, help="Minutes to time notes at another program's JACK port.")
    ] = 0,
) -> None:
    """Measure what a note costs on this machine."""
    from tatumflow.live.bench.command import bench as measure

    measure(model or "", json_path, notes, peer, receive)


@app.command()
def soak(
    kind: Annotated[
        Soak,
        typer.Argument(
            help="virtual: hours compressed; ports: real time on JACK; ears: so too, hearing a recording; "
            "storm: random MIDI; flood: controllers and OSC by the thousand while it plays."
        ),
    ] = Soak.VIRTUAL,
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, help="How long somebody plays.")] = 120,
    packets: Annotated[int, typer.Option("--packets", min=1, help="Packets of a storm.")] = 1_000_000,
    sound: Annotated[Path | None, typer.Option("--sound", help="Recording that ears hear.")] = None,
    separator: Annotated[str, typer.Option("--separator", help="What takes it apart.")] = "",
    stem: Annotated[str, typer.Option("--stem", help="Stem of it that plays.")] = "horn",
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, help="How long each flood lasts.")] = 10,
    model: _Model = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Play for hours and tell whether a note hung, an off was lost, or anything grew."""
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
    )


@app.command()
def doctor(settings: _Settings = None) -> None:
    """Check what playing needs, and say what to do about what is missing."""
    from tatumflow.live.commands.doctor import examine
    from tatumflow.live.settings import load_settings

    examine(load_settings(settings))


def _given(**options: _Value | None) -> dict[str, _Value]:
    return {name: value for name, value in options.items() if value is not None}


def _write_sound(path: Path, tracks: "Sequence[MidiTrack]") -> None:
    """Write tracks as a sound file: for the commands of other parts, which must not import this one."""
    from tatumflow.live.midi.synth import render, write_sound
    from tatumflow.live.settings import load_settings

    write_sound(path, render(tracks, load_settings().synth))


def _mount_commands() -> None:
    """Add the commands of other parts, which this one must not import: training declares its own."""
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
        app(obj=_write_sound)
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
