"""Whether charts come back as they were, as text and as links, and what broken links do."""

import random
import string
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import NAMED_CHARTS, Chart, named_chart, parse_chart
from tatumflow.live.book.files import chart_files, read_file, read_ireal
from tatumflow.live.book.ireal_writer import ireal_link
from tatumflow.live.book.tunes import NoticeKind, ReadTune

_EXAMPLES: Final = 3
_MOST_EDITS: Final = 4
_ALPHABET: Final = string.ascii_letters + string.digits + "[]{}|<>()*%=^#-+,/ \n\0ø♭"
_MARKS: Final = (
    *(
        "1r34LbKcu7",
        "===",
        "=",
        "irealb://",
        "%",
        "%00",
        "{",
        "}",
        "N1",
        "N2",
        "N0",
        "Q",
        "S",
        "<D.C. al Coda>",
    ),
    *(
        "<D.S. al 2nd End.>",
        "<99x>",
        "T12",
        "T00",
        "x",
        "r",
        "n",
        "W/C",
        "Kcl",
        "LZ",
        "XyQ",
        "*A",
        "C7*",
        "(",
    ),
)


@dataclass
class Check:
    """What was read, and what did not come back.

    Attributes:
        files: Files that were looked at.
        tunes: Charts that were read.
        unread: Files and tunes that were not read, each with the reason.
        lost_as_text: Charts that differ after a round trip through text.
        lost_as_link: Charts that differ after a round trip through a link of iReal Pro.
        charts_with: Charts that have a notice of a kind.
        examples: Notices, by kind, with how often each occurs.
    """

    files: int = 0
    tunes: int = 0
    unread: list[str] = field(default_factory=list)
    lost_as_text: list[str] = field(default_factory=list)
    lost_as_link: list[str] = field(default_factory=list)
    charts_with: Counter[NoticeKind] = field(default_factory=Counter)
    examples: dict[NoticeKind, Counter[str]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether everything was read and came back."""
        return not (self.unread or self.lost_as_text or self.lost_as_link)

    def add(self, tune: ReadTune) -> None:
        """Count a chart, and send it on both round trips."""
        self.tunes += 1
        self.charts_with.update({notice.kind for notice in tune.notices})
        for notice in tune.notices:
            self.examples.setdefault(notice.kind, Counter())[notice.text] += 1
        if not survives_text(tune.chart):
            self.lost_as_text.append(tune.chart.name)
        if not survives_link(tune.chart):
            self.lost_as_link.append(tune.chart.name)

    def table(self) -> Iterator[str]:
        """Yield the lines of a report."""
        yield f"{self.tunes} charts in {self.files} files; {len(self.unread)} not read"
        yield f"  come back as text: {self.tunes - len(self.lost_as_text)}"
        yield f"  come back as a link of iReal Pro: {self.tunes - len(self.lost_as_link)}"
        for kind, count in self.charts_with.most_common():
            examples = self.examples[kind]
            shown = "; ".join(f"{text} ({times})" for text, times in examples.most_common(_EXAMPLES))
            yield f"  {kind}: {examples.total()} notices in {count} charts, such as {shown}"
        for what, names in (
            ("not read", self.unread),
            ("lost as text", self.lost_as_text),
            ("lost as a link", self.lost_as_link),
        ):
            yield from (f"  {what}: {name}" for name in names)


def check_files(paths: Sequence[Path]) -> tuple[Check, list[Chart]]:
    """Read every chart of files and folders, and try its round trips; return the charts too."""
    check = Check()
    charts: list[Chart] = []
    for path in paths:
        for file in chart_files(path):
            check.files += 1
            try:
                read = read_file(file)
            except ChartError as error:
                check.unread.append(str(error))
                continue
            check.unread += [f"{file}: {tune.title}: {tune.reason}" for tune in read.unread]
            for tune in read.tunes:
                check.add(tune)
                charts.append(tune.chart)
    return check, charts


def survives_text(chart: Chart) -> bool:
    """Return whether a chart is the same after a round trip through text, spellings included."""
    back = parse_chart(chart.text)
    return back == chart and back.text == chart.text


def survives_link(chart: Chart) -> bool:
    """Return whether a chart is the same after a round trip through a link.

    There a missing key is C, and a pick-up is left out.
    """
    (back,) = read_ireal(ireal_link([chart])).tunes
    return back.chart == replace(chart, key=chart.key or "C", pickup=None)


@dataclass(frozen=True)
class BrokenLinks:
    """What broken links did.

    Attributes:
        read: Links of which a tune could be read all the same.
        refused: Links that ended in a `ChartError`; every other error would have ended the run.
        slowest: Seconds that the slowest took.
    """

    read: int
    refused: int
    slowest: float


def try_broken_links(charts: Sequence[Chart], count: int, seed: int) -> BrokenLinks:
    """Read links of charts, or of the built-in ones where there are none, each broken at random."""
    rng = random.Random(seed)
    links = [ireal_link([chart]) for chart in charts or [named_chart(name) for name in NAMED_CHARTS]]
    read, slowest = 0, 0.0
    for _ in range(count):
        link = broken(rng.choice(links), rng)
        start = time.process_time()
        try:
            read_ireal(link)
            read += 1
        except ChartError:
            pass
        slowest = max(slowest, time.process_time() - start)
    return BrokenLinks(read, count - read, slowest)


def broken(text: str, rng: random.Random) -> str:
    """Return text with one to four edits: cut, doubled, replaced, moved or with a mark put in."""
    for _ in range(rng.randint(1, _MOST_EDITS)):
        start = rng.randint(0, len(text))
        end = min(start + rng.randint(0, 60), len(text))
        piece = text[start:end]
        edit = rng.randrange(6)
        if edit == 0:
            piece = ""
        elif edit == 1:
            piece *= rng.randint(2, 5)
        elif edit == 2:
            piece = "".join(rng.choices(_ALPHABET, k=rng.randint(1, 20)))
        elif edit == 3:
            piece = rng.choice(_MARKS) + piece
        elif edit == 4:
            piece = piece[::-1]
        else:
            text, piece = text[: rng.randint(0, len(text))], ""
            start = end = len(text)
        text = text[:start] + piece + text[end:]
    return text
