"""The commands on piano rolls: `tatumflow roll sample`, `tatumflow roll continue` and `tatumflow fill`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Grid(StrEnum):
    """Where the beats of a file come from."""

    AUTO = "auto"
    TEMPO = "tempo"
    BEATS = "beats"
    TIME = "time"


roll = typer.Typer(help="Sample piano rolls, and continue a MIDI file.", no_args_is_help=True)

_Model = Annotated[str, typer.Option("--model", help="Roll model: a name or a folder.")]
_Style = Annotated[str, typer.Option("--style", help="Player whose style to sample in, such as art-tatum.")]
_Density = Annotated[
    int,
    typer.Option(
        "--density", min=0, max=8, help="Notes per beat, 1 few to 8 many; 0 for any, or the file's."
    ),
]
_Key = Annotated[
    str, typer.Option("--key", help="Key, such as Eb or 'C minor'; empty for any, or the file's.")
]
_Temperature = Annotated[
    float, typer.Option("--temperature", min=0, max=2, help="Randomness of the notes, 0 to 2.")
]
_Guidance = Annotated[
    float,
    typer.Option("--guidance", min=0, max=10, help="Weight of style, density, key, 0 to 10; 1 as trained."),
]
_Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed: the same one gives the same notes.")]
_Threads = Annotated[int, typer.Option("--threads", min=1, max=256, help="Threads of the model.")]
_Grid = Annotated[
    Grid,
    typer.Option(
        "--grid",
        help="Sixteenths from the file's tempo, from the beats found in its notes, or steps of 0.125 s in "
        "free time; auto takes the first that fits.",
    ),
]
_Beats = Annotated[int, typer.Option("--beats-per-bar", min=2, max=7, help="Beats of a bar, 2 to 7.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(roll, name="roll", rich_help_panel="Play")
    app.command(rich_help_panel="Play", epilog=_FILL_EXAMPLES)(fill)


@roll.command()
def sample(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the MIDI files.")] = Path("rolls"),
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=1000, help="Number of rolls.")] = 1,
    width: Annotated[
        int, typer.Option("--width", min=4, help="Sixteenths of each, a multiple of 4; 16 are a bar.")
    ] = 256,
    tempo: Annotated[float, typer.Option("--tempo", help="Beats per minute of the files.")] = 120.0,
    style: _Style = "",
    density: _Density = 0,
    key: _Key = "",
    temperature: _Temperature = 1.0,
    guidance: _Guidance = 1.0,
    seed: _Seed = 0,
    model: _Model = "",
    threads: _Threads = 1,
) -> None:
    """Sample piano rolls from nothing, and write each as a MIDI file."""
    from tatumflow.live.commands.roll import RollOptions, SampleOptions
    from tatumflow.live.commands.roll import sample as run

    shared = RollOptions(model, style, density, key, temperature, guidance, seed, threads)
    run(SampleOptions(out, count, width, tempo), shared)


@roll.command("continue")
def continue_file(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="What to continue.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="MIDI file to write.")],
    bars: Annotated[int, typer.Option("--bars", min=1, help="Bars to add.")] = 8,
    style: _Style = "",
    density: _Density = 0,
    key: _Key = "",
    temperature: _Temperature = 1.0,
    guidance: _Guidance = 1.0,
    seed: _Seed = 0,
    grid: _Grid = Grid.AUTO,
    beats_per_bar: _Beats = 4,
    model: _Model = "",
    threads: _Threads = 1,
) -> None:
    """Add bars after the end of a MIDI file; its own notes are untouched."""
    from tatumflow.live.commands.roll import ContinueOptions, RollOptions
    from tatumflow.live.commands.roll import continue_file as run

    shared = RollOptions(model, style, density, key, temperature, guidance, seed, threads)
    run(ContinueOptions(source, out, bars, grid.value, beats_per_bar), shared)


_FILL_EXAMPLES = """\b
Examples:
  tatumflow fill take.mid --bars 5-8 -o repaired.mid
  tatumflow fill take.mid --bars 12 --variations 4 --temperature 1.1 -o bar12.mid
  tatumflow fill rubato.mid --bars 3-4 --grid time -o filled.mid"""


def fill(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="The take.")],
    bars: Annotated[str, typer.Option("--bars", help="Bars to fill, FIRST-LAST or one, counted from 1.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="MIDI file to write; OUT-1.mid on of several.")],
    variations: Annotated[
        int, typer.Option("--variations", min=1, max=100, help="How many fills to write.")
    ] = 1,
    style: _Style = "",
    density: _Density = 0,
    key: _Key = "",
    temperature: _Temperature = 1.0,
    guidance: _Guidance = 1.0,
    seed: _Seed = 0,
    grid: _Grid = Grid.AUTO,
    beats_per_bar: _Beats = 4,
    model: _Model = "",
    threads: _Threads = 1,
) -> None:
    """Fill bars of a take anew, to repair or vary them; the notes outside are untouched.

    The model reads what is on both sides of the bars.
    """
    from tatumflow.live.commands.fill import FillOptions
    from tatumflow.live.commands.fill import fill as run
    from tatumflow.live.commands.roll import RollOptions

    shared = RollOptions(model, style, density, key, temperature, guidance, seed, threads)
    run(FillOptions(source, out, bars, variations, grid.value, beats_per_bar), shared)
