"""The commands `compare` and `table`: several models on the same notes, and their figures in one table."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel="Measure")(compare)
    app.command(
        rich_help_panel="Measure",
        epilog="""\b
Example:
  tatumflow table tatumflow.json music-transformer.json -o families.md""",
    )(table)


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A checkpoint, or the folder of a run or a bundle.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another model.")],
    corpus: Annotated[Path, typer.Option("--corpus", help="The packed corpus.")] = Path("data/packed"),
    pieces: Annotated[int | None, typer.Option("--pieces", help="Most pieces to read.", min=1)] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Compare two models on the same notes, in prediction and in time for a note."""
    with needed_libraries():
        from tatumflow.training.evaluate.compare.model_comparison import compare, table
    print("\n".join(table(compare(a, b, corpus, pieces, json))))


def table(
    files: Annotated[
        list[Path], typer.Argument(metavar="FIGURES.json...", help="From `tatumflow evaluate --json`.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; else printed.")] = None,
) -> None:
    """Put the figures of several models side by side."""
    from tatumflow.engine.errors import SettingError
    from tatumflow.engine.files.regular_file import check_output
    from tatumflow.engine.files.whole_file import write_whole
    from tatumflow.training.evaluate.report.families_table import families_table, read_figures

    if out is not None:
        check_output(out)
    text = families_table([(file.stem, read_figures(file)) for file in files])
    if out is None:
        print(text, end="")
        return
    try:
        write_whole(out, text)
    except OSError as error:
        raise SettingError(f"{out}: cannot be written ({error.strerror}); give another file") from None
    print(out)
