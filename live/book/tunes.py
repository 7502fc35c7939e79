"""What reading a file of charts gives: tunes with notices, and what could not be read."""

from dataclasses import dataclass
from typing import Literal

from tatumflow.engine.harmony.chart import Chart

NoticeKind = Literal[
    "header", "remark", "alternate", "nearest", "unreadable", "placement", "metre", "pick-up", "form"
]
"""What a notice is about: a value of the header; a remark or an alternate chord that is left out; a chord
that became the nearest known one, or was not understood; where chords lie in a bar; a bar of another metre; a
pick-up that is left out or cut; repeats, endings and jumps."""


@dataclass(frozen=True)
class Notice:
    """Something that a chart says and that was read otherwise than it is written.

    Attributes:
        kind: What it is about.
        bar: Number of the written bar, from 1; 0 for the whole chart.
        text: What happened.
    """

    kind: NoticeKind
    bar: int
    text: str

    def __str__(self) -> str:
        return f"bar {self.bar}: {self.text}" if self.bar else self.text


@dataclass(frozen=True)
class ReadTune:
    """A chart, and what was read otherwise than it is written."""

    chart: Chart
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Unread:
    """A tune that could not be read, by its title, and the reason."""

    title: str
    reason: str


@dataclass(frozen=True)
class ReadFile:
    """The tunes of a file, and those that could not be read.

    Attributes:
        tunes: In the order of the file.
        unread: The others.
        name: Name of the playlist; may be empty.
    """

    tunes: tuple[ReadTune, ...]
    unread: tuple[Unread, ...] = ()
    name: str = ""
