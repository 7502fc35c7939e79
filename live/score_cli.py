"""The command `score`: a recorded session as written music."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tatumflow.engine.harmony.instruments import Instrument


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel="Play",
        epilog="""\b
Examples:
  tatumflow score session.mid -o session.musicxml
  tatumflow score session.mid -o solo.musicxml --track TatumFlow --transpose Bb
  tatumflow score take.mid -o take.musicxml --grid beats --staves 1""",
    )(score)


def score(
    source: Annotated[Path, typer.Argument(metavar="SESSION.mid", help="A recording, or any MIDI file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A .musicxml or .xml file.")],
    track: Annotated[
        str, typer.Option("--track", metavar="NAME", help="Track to write, such as You or TatumFlow; or all.")
    ] = "all",
    transpose: Annotated[
        Instrument,
        typer.Option("--transpose", help="Instrument of the reader; the part is written for it."),
    ] = "C",
    staves: Annotated[
        Literal["auto", "1", "2"],
        typer.Option("--staves", help="Staves a part; auto: two where chords are played."),
    ] = "auto",
    grid: Annotated[
        Literal["auto", "tempo", "beats"],
        typer.Option("--grid", help="Beats: tempo, the file's; beats, tracked in its notes; auto chooses."),
    ] = "auto",
) -> None:
    """Write a recording as MusicXML, quantized by the beat, for MuseScore and other notation programs."""
    from tatumflow.live.commands.score import ScoreOptions, write_score

    write_score(ScoreOptions(source, out, track, transpose, staves, grid))
