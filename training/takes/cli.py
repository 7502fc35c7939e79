"""The command `takes`."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        rich_help_panel="Train",
        epilog="""\b
Example:
  tatumflow takes exports/my-model --corpus data/packed --solos data/wjazzd --jobs 2""",
    )(takes)


def takes(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of a bundle.")],
    corpus: Annotated[Path, typer.Option("--corpus", help="The packed corpus of its training.")] = Path(
        "data/packed"
    ),
    solos: Annotated[
        Path | None, typer.Option("--solos", help="The Weimar Jazz Database, for lines over charts.")
    ] = None,
    primers: Annotated[int, typer.Option("--primers", help="Primers of pianists in a round.", min=8)] = 160,
    lines: Annotated[int, typer.Option("--lines", help="Solos in a round.", min=6)] = 48,
    rounds: Annotated[
        int, typer.Option("--rounds", help="Rounds, each with the choice of the one before.", min=1)
    ] = 2,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes that play at the same time.", min=1)] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Random seed.", min=0)] = 0,
) -> None:
    """Fit the weights by which a model's takes are chosen, and write them into its manifest.

    The model plays several takes after primers of the training side; the weights are those by which the takes
    that are chosen have the same motifs, key, rhythm, dynamics and registers, on average, as the player's own
    notes there; see the control `takes`.
    """
    with needed_libraries():
        from tatumflow.training.takes.commands import TakeSettings, fit_table, fit_takes
    settings = TakeSettings(primers, lines, rounds, jobs, seed)
    fits = fit_takes(bundle, corpus, solos, settings, lambda text: print(text, flush=True))
    print("\n".join(fit_table(fits)))
