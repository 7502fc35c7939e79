"""What the commands `tatumflow book ...` do."""

import html
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from tatumflow.engine.errors import ChartError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.harmony.chart import Chart, is_named, key_named, named_chart
from tatumflow.live.book.check import check_files, try_broken_links
from tatumflow.live.book.files import chart_files, read_file, read_ireal
from tatumflow.live.book.folder import Book, book_folder, folded
from tatumflow.live.book.ireal_links import has_link
from tatumflow.live.book.ireal_writer import ireal_link
from tatumflow.live.book.tunes import ReadFile

_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><p><a href="{link}">{title}</a></p></body></html>
"""


def import_files(sources: Sequence[str], *, replacing: bool, notices: bool) -> None:
    """Add the charts of files, folders and links to the book, and print what became of them.

    Raises:
        ChartError: if no chart could be read at all, or one cannot be saved.
    """
    book = Book(book_folder())
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failed: list[str] = []
    for source in sources:
        for name, read in _read_all(source):
            if isinstance(read, str):
                failed.append(read)
                continue
            failed += [f"{name}: {tune.title}: {tune.reason}" for tune in read.unread]
            for tune in read.tunes:
                saved_as, outcome = book.save(tune.chart, replacing=replacing)
                outcomes[outcome] += 1
                kinds.update(notice.kind for notice in tune.notices)
                if outcome == "kept":
                    print(f"kept {saved_as}: the book has another chart of that name; --replace replaces it")
                if notices:
                    print(
                        *(f"{saved_as}: {notice}" for notice in tune.notices),
                        sep="\n",
                        end="\n" * bool(tune.notices),
                    )
    for reason in failed:
        print(f"not read: {reason}")
    if not outcomes:
        raise ChartError("no chart was imported; `tatumflow book import --help` names the formats")
    words = {"added": "added", "same": "already there", "replaced": "replaced", "kept": "kept as they were"}
    print(", ".join(f"{outcomes[outcome]} {word}" for outcome, word in words.items() if outcomes[outcome]))
    if kinds:
        print("notices:", ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    print(f"The book has {len(book.names())} tunes; play one with tatumflow jam --tune NAME")


def _read_all(source: str) -> Iterator[tuple[str, ReadFile | str]]:
    """Yield what each file of a source holds, or why it cannot be read."""
    if has_link(source):
        yield "the link", read_ireal(source)
        return
    for file in chart_files(Path(source).expanduser()):
        try:
            yield str(file), read_file(file)
        except ChartError as error:
            yield str(file), str(error)


def list_tunes(words: Sequence[str], key: str, composer: str) -> None:
    """Print the tunes in which all words occur, of a key and a composer where they are given.

    Raises:
        ChartError: if the key is none, or the book is empty.
    """
    book = Book(book_folder())
    sought, by = [folded(word) for word in words], folded(composer)
    key_sought = key_named(key)
    rows: list[tuple[str, Chart]] = []
    found_any = False
    for name, chart in _charts(book):
        found_any = True
        text = folded(f"{name} {chart.composer} {chart.style}")
        fits = all(word in text for word in sought) and by in folded(chart.composer)
        if fits and key_sought in ("", chart.key):
            rows.append((name, chart))
    if not found_any:
        raise ChartError(f"the book is empty ({book.folder}); fill it with tatumflow book import FILE")
    if not rows:
        print("no such tune; `tatumflow book list` lists all")
        return
    widest = min(max(len(name) for name, _ in rows), 44)
    for name, chart in rows:
        about = (chart.key, f"{len(chart.bars)} bars", chart.style, chart.composer)
        print(f"{name.ljust(widest)}  {', '.join(part for part in about if part)}")


def _charts(book: Book) -> Iterator[tuple[str, Chart]]:
    """Yield the charts that can be read, and print why others cannot."""
    for name in book.names():
        try:
            chart = book.find(name)
        except ChartError as error:
            print(error)
            continue
        if chart is not None:
            yield name, chart


def show_tune(name: str) -> None:
    """Print a chart as text.

    Raises:
        ChartError: if there is none of that name.
    """
    print(_find(name).text)


def export_tune(name: str, *, ireal: bool, out: Path | None) -> None:
    """Print a chart, or write it to a file, as text or as a link.

    Raises:
        ChartError: if there is none of that name, or the file cannot be written.
        SettingError: if the file cannot be one.
    """
    chart = _find(name)
    text = ireal_link([chart]) if ireal else chart.text
    if ireal and chart.pickup is not None:
        print("its pick-up is left out: links of iReal Pro have no place for one", file=sys.stderr)
    if out is None:
        print(text)
        return
    check_output(out)
    if ireal and out.suffix.lower() in (".html", ".htm"):
        text = _PAGE.format(title=html.escape(chart.name), link=html.escape(text))
    try:
        write_whole(out, text + "\n")
    except OSError as error:
        raise ChartError(f"{out}: cannot be written ({error.strerror}); check folder and disk") from None
    print(f"{chart.name} is in {out}")


def _find(name: str) -> Chart:
    book = Book(book_folder())
    chart = named_chart(name) if is_named(name) else book.find(name)
    if chart is None:
        near = book.near(name)
        hint = f"; did you mean {', '.join(near)}?" if near else "; `tatumflow book list` lists the tunes"
        raise ChartError(f"no tune of the book is named {name!r}{hint}")
    return chart


def check_charts(paths: Sequence[Path], broken_links: int, seed: int) -> None:
    """Print a table of what charts were read and came back, and what broken links did.

    Raises:
        typer.Exit: with status 1, if something was not read or did not come back.
    """
    start = time.perf_counter()
    check, charts = check_files(paths or [book_folder()])
    print(*check.table(), sep="\n")
    print(f"  {time.perf_counter() - start:.1f} s")
    if broken_links:
        start = time.perf_counter()
        broken = try_broken_links(charts, broken_links, seed)
        print(f"{broken_links} broken links: {broken.read} read all the same, {broken.refused} refused,")
        print(f"  no other error; the slowest took {broken.slowest * 1000:.0f} ms")
        print(f"  {time.perf_counter() - start:.1f} s")
    if not check.passed:
        raise typer.Exit(1)
