"""The book: a folder of the user's charts, a text file each, found by name."""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

from platformdirs import user_data_path

from tatumflow.engine.errors import ChartError
from tatumflow.engine.files.regular_file import read_regular
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.harmony.chart import Chart, key_named, parse_chart
from tatumflow.engine.harmony.chords import ROOT_NAMES, parse_chord

Saved = Literal["added", "same", "replaced", "kept"]
"""What became of a chart: new in the book; already there; in the place of another one of its name; not saved,
since another one has its name."""

SUFFIX: Final = ".txt"
_LARGEST: Final = 1 << 18
_LONGEST_STEM: Final = 120
_CANDIDATES: Final = 8
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
_RESERVED: Final = re.compile(r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\.|$)", re.IGNORECASE)
_IN_KEY: Final = re.compile(r"(.+) in ([A-Ga-g][b#♭♯]?)m?", re.IGNORECASE)


def book_folder() -> Path:
    """Return the folder of the book, which may be missing: $TATUMFLOW_BOOK, else among the user's data."""
    given = os.environ.get("TATUMFLOW_BOOK")
    return Path(given).expanduser() if given else user_data_path("tatumflow", appauthor=False) / "book"


def folded(name: str) -> str:
    """Return what names are compared by: letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


@dataclass(frozen=True)
class Book:
    """The charts in a folder.

    Attributes:
        folder: It may be missing, and is then made when the first chart is saved.
    """

    folder: Path

    def names(self) -> list[str]:
        """Return the names of the tunes in alphabetical order."""
        return [path.stem for path in self._files()]

    def charts(self) -> Iterator[tuple[str, Chart]]:
        """Yield each tune's name and chart.

        Raises:
            ChartError: if a file cannot be read, or is no chart; names the file.
        """
        for name, chart in self.each():
            if isinstance(chart, ChartError):
                raise chart
            yield name, chart

    def each(self) -> Iterator[tuple[str, Chart | ChartError]]:
        """Yield each tune's name, and its chart or why its file cannot be read."""
        for path in self._files():
            try:
                yield path.stem, _read(path)
            except ChartError as error:
                yield path.stem, error

    def find(self, name: str) -> Chart | None:
        """Return the chart of a name, or of the only name that begins so; None where there is none.

        Case, accents and punctuation do not count. After " in " may stand a key, to which the chart is
        transposed.

        Raises:
            ChartError: if several names begin so, or the chart cannot be read or has no key to leave.
        """
        path = self._path(name)
        if path is not None:
            return _read(path)
        in_key = _IN_KEY.fullmatch(" ".join(name.split()))
        path = self._path(in_key[1]) if in_key else None
        return None if path is None or in_key is None else _in_key(_read(path), in_key[2])

    def find_exactly(self, name: str) -> Chart | None:
        """Return the chart of a name, which may be too short for `find` where others begin so.

        Raises:
            ChartError: if the chart cannot be read.
        """
        sought = folded(name)
        path = next((path for path in self._files() if sought and folded(path.stem) == sought), None)
        return None if path is None else _read(path)

    def written(self, name: str) -> str | None:
        """Return the text of a tune's file as it is written, with its repeats and comments; None without it.

        Raises:
            ChartError: if the file cannot be read.
        """
        sought = folded(name)
        path = next((path for path in self._files() if sought and folded(path.stem) == sought), None)
        return None if path is None else _text(path)

    def near(self, name: str) -> list[str]:
        """Return names of tunes that may be meant by one that is not in the book, the likeliest first."""
        names = {folded(known): known for known in self.names()}
        sought = folded(name)
        within = [known for key, known in names.items() if sought and sought in key]
        close = [names[key] for key in get_close_matches(sought, names, n=3, cutoff=0.75)]
        return list(dict.fromkeys([*within, *close]))[:_CANDIDATES]

    def save(self, chart: Chart, *, text: str = "", replacing: bool = False) -> tuple[str, Saved]:
        """Save a chart under its title, and return its name in the book and what became of it.

        Where another composer's tune has the title, the composer's name is added to it. A chart that differs
        from the one of its name is saved only where it is to replace that.

        Args:
            chart: The chart.
            text: How it is written, with repeats and comments; empty for the chart's own text.
            replacing: Whether it replaces another chart of its name.

        Raises:
            ChartError: if it cannot be written.
        """
        path = self._own_path(chart)
        text = text or chart.text
        saved: Saved = "added"
        if path.exists():
            if _says(path, chart, text):
                return path.stem, "same"
            if not replacing:
                return path.stem, "kept"
            saved = "replaced"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.rstrip() + "\n")
        except OSError as error:
            raise ChartError(f"{path}: not saved ({error.strerror}); check folder and disk") from None
        return path.stem, saved

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(self.folder.glob(f"*{SUFFIX}"), key=lambda path: (folded(path.stem), path.stem))

    def _path(self, name: str) -> Path | None:
        sought = folded(name)
        if not sought:
            return None
        begin = [path for path in self._files() if folded(path.stem).startswith(sought)]
        exact = [path for path in begin if folded(path.stem) == sought]
        if len(exact) == 1 or len(begin) == 1:
            return (exact or begin)[0]
        if begin:
            shown = ", ".join(path.stem for path in begin[:_CANDIDATES])
            more = f" and {len(begin) - _CANDIDATES} more" if len(begin) > _CANDIDATES else ""
            raise ChartError(
                f"several tunes of the book begin with {name.strip()!r}: {shown}{more}; write more"
            )
        return None

    def _own_path(self, chart: Chart) -> Path:
        """Return the file of a chart by its title: of the tune of its name and composer, or a new one."""
        plain = self._named(chart.name)
        if not chart.composer or not plain.exists():
            return plain
        try:
            other = _read(plain)
        except ChartError:
            return plain
        if not other.composer or folded(other.composer) == folded(chart.composer):
            return plain
        return self._named(f"{chart.name} ({chart.composer})")

    def _named(self, name: str) -> Path:
        """Return the file of a name, or the one whose name differs in case or punctuation only."""
        sought = folded(name)
        for path in self._files():
            if sought and folded(path.stem) == sought:
                return path
        stem = " ".join(_NOT_IN_NAMES.sub(" ", name).split())[:_LONGEST_STEM].strip(" .") or "Untitled"
        return self.folder / f"{'_' if _RESERVED.match(stem) else ''}{stem}{SUFFIX}"


def _says(path: Path, chart: Chart, text: str) -> bool:
    """Return whether a file holds a chart, and is written as `text` where that is not the chart's own."""
    try:
        before = _read(path)
        if before != chart or before.text != chart.text:
            return False
        return text == chart.text or text.rstrip() == _text(path).rstrip()
    except ChartError:
        return False


def _read(path: Path) -> Chart:
    text = _text(path)
    try:
        return parse_chart(text, name=path.stem)
    except ChartError as error:
        raise ChartError(f"{path}: {error}") from None


def _text(path: Path) -> str:
    try:
        return read_regular(path, _LARGEST).decode("utf-8-sig")
    except OSError as error:
        raise ChartError(f"{path}: cannot be read ({error.strerror}); mend or delete it") from None
    except UnicodeDecodeError:
        raise ChartError(f"{path}: is not text; mend or delete it") from None


def _in_key(chart: Chart, key: str) -> Chart:
    if not chart.key:
        raise ChartError(
            f"{chart.name}: has no {{key: …}}, so it cannot be moved to another; write one into it"
        )
    before, after = parse_chord(chart.key.removesuffix("m")), parse_chord(key_named(key))
    if before is None or after is None or before.root == after.root:
        return chart
    semitones = (after.root - before.root + 5) % 12 - 5
    moved = chart.transposed(semitones)
    return replace(
        moved, name=f"{chart.name} in {ROOT_NAMES[after.root]}{moved.key[len(moved.key.rstrip('m')) :]}"
    )
