"""The command `sounds`: lists, tries and chooses the SoundFont of the built-in synthesizer."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel="Play",
        epilog="""\b
Examples:
  tatumflow sounds
  tatumflow sounds --try FluidR3 -o try.wav
  tatumflow sounds --use MuseScore
  tatumflow sounds --use FluidR3 --part drums""",
    )(sounds)


def sounds(
    attempt: Annotated[
        str | None, typer.Option("--try", metavar="NAME", help="SoundFont to hear: a name, a part, a file.")
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Sound file of --try.")] = Path("try.wav"),
    use: Annotated[
        str | None,
        typer.Option("--use", metavar="NAME", help="SoundFont to use from now on, or auto."),
    ] = None,
    part: Annotated[
        str, typer.Option(metavar="PART", help="Part of the band for --use alone: bass, comping or drums.")
    ] = "",
    settings: Annotated[
        Path | None, typer.Option("--settings", help="Settings file instead of your own.")
    ] = None,
) -> None:
    """List the SoundFonts of the built-in synthesizer, try one, or choose one."""
    from tatumflow.live.commands.sounds import list_sounds, try_sound, use_sound
    from tatumflow.live.settings import load_settings

    if attempt is not None:
        try_sound(attempt, out, load_settings(settings))
    if use is not None:
        use_sound(use, settings, part)
    if attempt is None and use is None:
        list_sounds(load_settings(settings))
