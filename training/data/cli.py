"""Commands of `tatumflow data` that print what corpora hold in common."""

from pathlib import Path
from typing import Annotated

import typer


def register(data: typer.Typer) -> None:
    """Add the commands to the group `data`."""
    data.command()(duplicates)


def duplicates(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Impro-Visor and the corpora to compare it with: folders or archives."),
    ],
    seed: Annotated[int, typer.Option("--seed", help="Seed of the validation split.", min=0)] = 0,
) -> None:
    """List quantized solos that another corpus holds as played: those with a long run of intervals in common.

    `tatumflow data prepare` leaves out the ones on different sides of the split.
    """
    from tatumflow.training.data.commands import duplicates

    duplicates(sources, seed)
