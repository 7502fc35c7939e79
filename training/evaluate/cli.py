"""The command `table`: figures of several models in one table."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel="Measure",
        epilog="""\b
Example:
  tatumflow table tatumflow.json music-transformer.json -o families.md""",
    )(table)


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
