"""Chord charts as the user gives them: a name, also of the book, the text, or a file, which is read anew."""

from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tatumflow.engine.controls import chart_named
from tatumflow.engine.errors import ChartError, ChordError
from tatumflow.engine.files.regular_file import read_regular
from tatumflow.engine.harmony.chart import Chart, is_named, names_file, parse_chart
from tatumflow.live.book.folder import Book, book_folder
from tatumflow.live.setting_errors import plain_error

_LARGEST_FILE: Final = 1 << 16


class _ChartFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    chart: str
    beats_per_bar: int = Field(default=4, ge=1, le=16)
    name: str = ""


def read_chords(source: str) -> str:
    """Return the value of the control `chords` for what a user gives: a chart's name, its text, or a file.

    The name of a built-in chart or a text comes back as it is. Of a file or a tune of the book comes the text
    of its chart, with title and time.

    Args:
        source: Such as "blues in F", "Dm7 | G7 | Cmaj7", "waltz.yaml" or the name of a tune of the book, as
            `Book.find` takes it; empty for no chart.

    Raises:
        ChartError: if it is none of these, the file cannot be read, or the chart is not understood.
    """
    if names_file(source):
        source = read_chart(Path(source.strip()).expanduser()).text
    if not source:
        return source
    book = Book(book_folder())
    if _may_name_a_tune(source) and (chart := book.find_exactly(source)) is not None:
        return chart.text
    try:
        chart_named(source)
    except ChordError as error:
        reason = ChartError(str(error))
    else:
        return source
    if not _may_name_a_tune(source):
        raise reason
    chart = book.find(source)
    if chart is None:
        near = book.near(source)
        hint = (
            f"; in the book there are {', '.join(near)}" if near else "; nor is a tune of the book so named"
        )
        raise ChartError(f"{reason}{hint}")
    return chart.text


def _may_name_a_tune(source: str) -> bool:
    """Return whether a source may name a tune of the book: it is one line without bars or braces."""
    return not is_named(source) and not any(sign in source for sign in "|\n{%")


def read_chart(path: Path) -> Chart:
    """Read a chart from a file: text as `parse_chart` takes it, or YAML of `chart`, `beats_per_bar`, `name`.

    Raises:
        ChartError: if the file is no regular file, is larger than 64 kB, cannot be read, or its chart is not
            understood.
    """
    path = Path(path)
    try:
        text = read_regular(path, _LARGEST_FILE).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise ChartError(f"{path}: cannot be read ({reason}); give a .txt or .yaml file") from error
    try:
        if path.suffix.lower() not in (".yaml", ".yml"):
            return parse_chart(text, name=path.stem)
        content = _ChartFile.model_validate(yaml.safe_load(text))
        return parse_chart(content.chart, content.beats_per_bar, content.name or path.stem)
    except (yaml.YAMLError, RecursionError) as error:
        raise ChartError(f"{path}: is not YAML; write chart: and the bars after it") from error
    except ValidationError as error:
        raise ChartError(f"{path}: {plain_error(_ChartFile, error, 'field')}") from error
    except ChartError as error:
        raise ChartError(f"{path}: {error}") from error
