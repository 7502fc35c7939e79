"""Commands of `tatumflow data`: pack corpora, and print what they hold."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries

_Sources = Annotated[
    list[Path], typer.Argument(help="Folders or archives: PiJAMA, Weimar, Impro-Visor, MIDI.")
]
_Player = Annotated[str | None, typer.Option("--player", help="Player of the files of plain folders.")]
_Seed = Annotated[int, typer.Option("--seed", help="Seed of the validation split of corpora without one.")]


class Split(StrEnum):
    """A side of a corpus."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def register(data: typer.Typer) -> None:
    """Add the commands to the group `data`."""
    for command in (prepare, stats, duplicates):
        data.command()(command)


def prepare(
    sources: _Sources,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the packed corpus.")] = Path(
        "data/packed"
    ),
    player: _Player = None,
    seed: _Seed = 0,
    min_style_notes: Annotated[
        int, typer.Option("--min-style-notes", help="Training notes that give a player a style.", min=1)
    ] = 1500,
    beats: Annotated[
        list[Path] | None,
        typer.Option("--beats", help="Folder or archive of beat tables for PiJAMA; may be repeated."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", help="Processes that read files; by default 1, on a cluster all its cores.", min=1
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Read the files on this Ray cluster: HOST:PORT, auto, or local for one of this machine.",
        ),
    ] = None,
) -> None:
    """Pack corpora for training, and print what was skipped.

    Interrupted, the same command goes on where it was.
    """
    with needed_libraries():
        from tatumflow.training.data.commands import prepare
    with needed_libraries("cluster"):
        prepare(
            sources,
            out,
            player,
            seed,
            min_style_notes,
            beats=tuple(beats or ()),
            jobs=jobs,
            cluster=cluster,
        )


def stats(
    sources: _Sources,
    plot: Annotated[Path | None, typer.Option("--plot", help="Plot them in this .png or .svg.")] = None,
    player: _Player = None,
    seed: _Seed = 0,
) -> None:
    """Print statistics of corpora."""
    with needed_libraries():
        from tatumflow.training.data.commands import stats
    stats(sources, plot, player, seed)


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
