"""Commands of `tatumflow data` that measure and fit the chord estimator."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries

_Seed = Annotated[int, typer.Option("--seed", help="Seed of the validation split of corpora without one.")]


def register(data: typer.Typer) -> None:
    """Add the commands to the group `data`."""
    data.command()(chords)
    data.command()(fit_chords)


def chords(
    source: Annotated[Path, typer.Argument(metavar="CORPUS", help="The Weimar Jazz Database.")],
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    seed: _Seed = 0,
) -> None:
    """Measure the chord estimator against lead sheets."""
    with needed_libraries():
        from tatumflow.training.harmony.accuracy_commands import chords
    chords(source, json, seed)


def fit_chords(
    source: Annotated[Path, typer.Argument(metavar="CORPUS", help="The Weimar Jazz Database.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File of the weights; the engine's by default.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random choices.")] = 0,
    live: Annotated[
        bool, typer.Option("--live", help="Fit the estimator of music while it is played.")
    ] = False,
) -> None:
    """Fit the chord estimator to lead sheets."""
    with needed_libraries():
        from tatumflow.training.harmony.commands import fit_chords
    fit_chords(source, out, seed, live)
