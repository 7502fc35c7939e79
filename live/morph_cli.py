"""The command `tatumflow morph`."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        rich_help_panel="Play",
        epilog="""\b
Examples:
  tatumflow morph mine.mid yours.mid -o between
  tatumflow morph mine.mid --from charlie-parker --to john-coltrane --strength 0.8 -o moved
  tatumflow morph mine.mid --add blues --tempo 140 -o blue""",
    )(morph)


def morph(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="A.mid [B.mid]", help="Melodies in 4/4; of chords, the top counts."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the MIDI files and the page.")],
    steps: Annotated[int, typer.Option("--steps", min=2, max=99, help="Melodies of the way.")] = 9,
    removed: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="PLAYER", help="Player or attribute to take away; may be repeated."),
    ] = None,
    towards: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="PLAYER", help="Player to move towards; may be repeated."),
    ] = None,
    added: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="ATTRIBUTE", help="Attribute to add, such as blues; may be repeated."),
    ] = None,
    strength: Annotated[
        float, typer.Option("--strength", min=0, max=5, help="How far along the attributes, 0 to 5.")
    ] = 1.0,
    tempo: Annotated[
        str,
        typer.Option(
            "--tempo", help="Beats per minute, from time 0; file: the file's; estimate: from the notes."
        ),
    ] = "file",
    temperature: Annotated[
        float, typer.Option("--temperature", min=0, max=2, help="Randomness of the notes; 0: the likeliest.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the random notes.")] = 0,
    model: Annotated[str, typer.Option("--model", help="Model of melodies: a name or a folder.")] = "",
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="Make sound files too.")] = True,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="Settings file instead of your own.")
    ] = None,
) -> None:
    """Morph one melody into another, or move it towards a player; writes MIDI and a page to listen."""
    from tatumflow.engine.melodies.morph import Sampling
    from tatumflow.live.commands.morph import MorphOptions
    from tatumflow.live.commands.morph import morph as make

    make(
        MorphOptions(
            sources,
            out,
            steps,
            (*(towards or ()), *(added or ())),
            tuple(removed or ()),
            strength,
            tempo,
            model,
            Sampling(temperature, seed),
            sound,
            settings,
        )
    )
