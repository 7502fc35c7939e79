"""The commands `tatumflow book ...`. Each imports its libraries when it runs."""

from pathlib import Path
from typing import Annotated

import typer

_EPILOG = """\b
Examples:
  tatumflow book import playlist.html
  tatumflow book list blues --key F
  tatumflow jam --tune "blue monk"
  tatumflow book export "blue monk" --ireal -o blue-monk.html"""

book = typer.Typer(
    help="Your charts: import them, search them, and play over them with `jam --tune`.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A tune: its name, or how only that one begins.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(book, name="book", rich_help_panel="Play")


@book.command(
    "import",
    epilog="""\b
Examples:
  tatumflow book import playlist.html            exported by iReal Pro
  tatumflow book import "irealb://..."           a link of it
  tatumflow book import lead-sheets/ solo.musicxml tune.mid""",
)
def import_charts(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="iReal Pro (.html, link), MusicXML, Impro-Visor, MIDI with chord markers, text; folders.",
        ),
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace charts of the same name that differ.")
    ] = False,
    notices: Annotated[
        bool, typer.Option("--notices", help="Print every notice, not their number only.")
    ] = False,
) -> None:
    """Add charts of other programs to the book."""
    from tatumflow.live.book.commands import import_files

    import_files(sources, replacing=replace, notices=notices)


@book.command("list")
def list_charts(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="Words of name, composer or style; all of them must occur."),
    ] = None,
    key: Annotated[str, typer.Option("--key", help="Only tunes in this key, such as Bb or Cm.")] = "",
    composer: Annotated[str, typer.Option("--composer", help="Only tunes of this composer.")] = "",
) -> None:
    """List the tunes of the book."""
    from tatumflow.live.book.commands import list_tunes

    list_tunes(words or [], key, composer)


@book.command()
def show(name: _Name) -> None:
    """Print a chart: one of the book, or a built-in one."""
    from tatumflow.live.book.commands import show_tune

    show_tune(name)


@book.command()
def export(
    name: _Name,
    ireal: Annotated[
        bool, typer.Option("--ireal/--text", help="A link of iReal Pro, or text; text by default.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="File to write, .html for a page to tap on; printed if not given."),
    ] = None,
) -> None:
    """Write a chart as text, or as a link of iReal Pro."""
    from tatumflow.live.book.commands import export_tune

    export_tune(name, ireal=ireal, out=out)


@book.command(
    epilog="""\b
Example:
  tatumflow book check imaginary-book --broken-links 100000""",
)
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH...]", help="Files and folders; your book if none.")
    ] = None,
    broken_links: Annotated[
        int, typer.Option("--broken-links", min=0, help="Also read this many links broken at random.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of how they are broken.")] = 0,
) -> None:
    """Read charts, try each as text and as a link, and print a table of the notices."""
    from tatumflow.live.book.commands import check_charts

    check_charts(paths or [], broken_links, seed)
