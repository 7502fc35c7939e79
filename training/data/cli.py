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
    for command in (collect, split, stats, prepare, duplicates):
        data.command()(command)


def collect(
    sources: Annotated[
        list[Path], typer.Argument(help="Text files of links, folders, archives, or MIDI files.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the corpus, new or to add to.")],
    player: _Player = None,
    licence: Annotated[
        str, typer.Option("--licence", help="Licence of files for which none is stated.")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split.", min=0)] = 0,
    least_notes: Annotated[int, typer.Option("--least-notes", help="Fewest notes of a file.", min=1)] = 32,
    least_seconds: Annotated[
        float, typer.Option("--least-seconds", help="Shortest playing time of a file in seconds.", min=0)
    ] = 5.0,
    most_megabytes: Annotated[
        int, typer.Option("--most-megabytes", help="Largest download in MB.", min=1)
    ] = 2048,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Take files with the notes of another too, marked.")
    ] = False,
) -> None:
    """Collect MIDI files into a corpus: checked, without duplicates, split by piece, and described.

    Sources are only read. Interrupted, the same command goes on where it was; later ones add to the corpus.
    """
    with needed_libraries():
        from tatumflow.training.data.collect.checks import Limits
        from tatumflow.training.data.collect.collect import CollectSettings
        from tatumflow.training.data.collect.commands import collect

        settings = CollectSettings(
            player=player,
            licence=licence,
            limits=Limits(least_notes=least_notes, least_seconds=least_seconds),
            seed=seed,
            most_bytes=most_megabytes << 20,
            keep_duplicates=keep_duplicates,
        )
        collect(sources, out, settings)


def split(
    corpus: Annotated[Path, typer.Argument(help="Folder made by `tatumflow data collect`.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split.", min=0)] = 0,
    val: Annotated[
        float, typer.Option("--val", help="Share of the notes to compare models on, 0 to 0.5.")
    ] = 0.1,
    test: Annotated[
        float, typer.Option("--test", help="Share of the notes for the last figures, 0 to 0.5.")
    ] = 0.1,
) -> None:
    """Split a collected corpus anew by piece: all takes and duplicates of one are on one side."""
    from tatumflow.training.data.collect.commands import split

    split(corpus, seed, val, test)


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
    page: Annotated[
        Path | None, typer.Option("--page", help="Folder for a page with histograms, players, broken files.")
    ] = None,
    player: _Player = None,
    seed: _Seed = 0,
) -> None:
    """Print statistics of corpora."""
    with needed_libraries():
        from tatumflow.training.data.commands import stats

        stats(sources, plot, player, seed, page=page)


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
