"""The command `portfolio`, which imports its libraries when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries

_EPILOG = """\b
Examples:
  tatumflow bench --json bench.json
  tatumflow evaluate exports/tatumflow-live --json heard.json --only listener
  tatumflow portfolio -o portfolio --figures bench.json --figures heard.json"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Measure", epilog=_EPILOG)(portfolio)


def portfolio(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the page, the demos and the slides.")],
    model: Annotated[
        str, typer.Argument(metavar="[BUNDLE]", help="A name or a folder; the bundled model by default.")
    ] = "",
    figures: Annotated[
        list[Path] | None,
        typer.Option(
            "--figures", metavar="FILE.json", help="From `--json` of bench or evaluate; may be repeated."
        ),
    ] = None,
    style: Annotated[
        list[str] | None, typer.Option("--style", help="Style of a demo; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the demos.", min=0)] = 0,
) -> None:
    """Make a page of a model's figures with their commands, demos as MIDI and MP3, and slides for a talk."""
    with needed_libraries():
        from tatumflow.training.portfolio.commands import make_portfolio
    made = make_portfolio(
        model,
        out,
        figures or (),
        styles=style or (),
        seed=seed,
        write_sound=context.obj.write_sound if context.obj else None,
    )
    if made.silent:
        print(f"demos as MIDI alone: {made.silent}")
    print(f"{len(made.demos)} demos, page {made.page}, slides {made.slides}")
