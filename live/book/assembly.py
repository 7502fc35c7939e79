"""From the written bars of a chart to the chart as it is played: its form unrolled, in one metre."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from math import floor
from typing import Final

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import (
    LONGEST_CHART,
    MOST_BEATS,
    TEMPOS,
    Bar,
    Chart,
    ChordChange,
    Section,
    key_named,
)
from tatumflow.engine.harmony.form import Marks, unroll
from tatumflow.live.book.tunes import Notice, ReadTune

_LONGEST_NAME: Final = 200
_PLAIN: Final = str.maketrans("{}", "()")
_PLAIN_SECTION: Final = str.maketrans("[]{}|#", "()()/ ")
_CERTAINLY_SHORT: Final = 1000
"""Bars of a chart whose text is not measured."""


@dataclass(frozen=True)
class Header:
    """What a file says of a tune.

    Attributes:
        title: Its title.
        composer: Who wrote it.
        key: As the file names it.
        style: The feel.
        tempo: Beats a minute; 0 or less where the file names none.
    """

    title: str
    composer: str = ""
    key: str = ""
    style: str = ""
    tempo: float = 0.0


@dataclass(frozen=True)
class WrittenBar:
    """A bar of a chart as it is written.

    Attributes:
        number: From 1.
        changes: Its chords by beat; none where it holds the chord before.
        beats: Its length in beats, at least 1.
        marks: Its part in the form.
        section: Name of the section that begins with it; None where none does.
    """

    number: int
    changes: tuple[ChordChange, ...]
    beats: int
    marks: Marks = field(default_factory=Marks)
    section: str | None = None


def assemble(
    header: Header,
    bars: Sequence[WrittenBar],
    notices: Sequence[Notice] = (),
    pickup: Sequence[ChordChange] = (),
) -> ReadTune:
    """Return the chart of written bars, with its notices and those of its assembly.

    Args:
        header: What the file says of the tune.
        bars: In order.
        notices: What was read otherwise than it is written.
        pickup: Chords before the first bar, in order; their beats count up to it, so that -1 is the last.

    Raises:
        ChartError: if no bar has a chord or N.C., or the chart is too long.
    """
    if not any(bar.changes for bar in bars):
        raise ChartError(f"{header.title or 'the chart'}: has no chords")
    played = [bars[i] for i in unroll([bar.marks for bar in bars])]
    found = [*notices]
    if len(bars) > 1 and not {bar.number for bar in bars} <= {bar.number for bar in played}:
        left_out = sorted({bar.number for bar in bars} - {bar.number for bar in played})
        found.append(Notice("form", left_out[0], "this and what follows is no part of a chorus; left out"))
    beats, even = _one_metre(_held(played, pickup), found)
    sections = tuple(Section(name, i) for i, (_, name) in enumerate(even) if name)
    chart = Chart(
        tuple(bar for bar, _ in even),
        beats,
        one_line(header.title) or "Untitled",
        sections,
        one_line(header.composer),
        _key(header.key, found),
        one_line(header.style),
        _tempo(header.tempo, found),
        _pickup(pickup, beats, found),
    )
    if len(chart.bars) > _CERTAINLY_SHORT and len(chart.text) > LONGEST_CHART:
        raise ChartError(f"{chart.name}: as text the chart has over {LONGEST_CHART} characters")
    return ReadTune(chart, tuple(dict.fromkeys(found)))


def one_line(text: str) -> str:
    """Return text of a header as one line of plain characters, at most 200, without braces."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.translate(_PLAIN).split())[:_LONGEST_NAME].strip()


def section_name(text: str) -> str:
    """Return the name of a section as one line without brackets, bars and comment signs."""
    return one_line(text.translate(_PLAIN_SECTION))


def _key(name: str, notices: list[Notice]) -> str:
    try:
        return key_named(name)
    except ChartError:
        notices.append(Notice("header", 0, f"{one_line(name)!r} is not the name of a key; left out"))
        return ""


def _tempo(tempo: float, notices: list[Notice]) -> float | None:
    if TEMPOS[0] <= tempo <= TEMPOS[1]:
        return round(tempo, 1)
    if tempo > 0:
        notices.append(Notice("header", 0, f"a tempo of {tempo:g} is out of range; left out"))
    return None


def _pickup(changes: Sequence[ChordChange], beats: int, notices: list[Notice]) -> Bar | None:
    """Return the bar of a pick-up: no chord up to its first; None where it has no chord at all."""
    if not any(change.chord for change in changes):
        return None
    inside = [replace(change, beat=beats + change.beat) for change in changes if change.beat >= -beats]
    left_out = len(changes) - len(inside)
    if left_out:
        notices.append(Notice("pick-up", 1, "the pick-up is longer than a bar; its beginning is left out"))
    if not inside or inside[0].beat > 0:
        held = changes[left_out - 1] if left_out else ChordChange(Fraction(0), None)
        inside.insert(0, replace(held, beat=Fraction(0)))
    return tuple(inside)


def _held(played: Sequence[WrittenBar], pickup: Sequence[ChordChange]) -> Iterator[WrittenBar]:
    """Yield the bars with a chord on the first beat of each: the one before, where none is written."""
    last = pickup[-1] if pickup else ChordChange(Fraction(0), None)
    for bar in played:
        changes = bar.changes
        if not changes or changes[0].beat > 0:
            changes = (replace(last, beat=Fraction(0)), *changes)
            bar = replace(bar, changes=changes)
        last = changes[-1]
        yield bar


def _one_metre(bars: Iterator[WrittenBar], notices: list[Notice]) -> tuple[int, list[tuple[Bar, str | None]]]:
    """Return the beats of the most frequent bar, and all bars of that length, with their sections.

    Bars of another length are joined or divided where that comes out even. Else they keep their bar lines: a
    shorter one is held for a whole bar, the chords of a longer one move closer together.
    """
    kept = list(bars)
    counts = Counter(bar.beats for bar in kept if bar.beats <= MOST_BEATS)
    beats = counts.most_common(1)[0][0] if counts else 4
    even: list[tuple[Bar, str | None]] = []
    for length, group in groupby(kept, key=lambda bar: bar.beats):
        if length == beats:
            even += [(bar.changes, bar.section) for bar in group]
        else:
            for joined in _joined(list(group), beats):
                first = joined[0]
                text = f"a bar of {length} beats in a tune of {beats}; joined, divided or held to fit"
                notices.append(Notice("metre", first.number, text))
                even += _fitted(joined, beats)
    return beats, even


def _joined(group: list[WrittenBar], beats: int) -> Iterator[list[WrittenBar]]:
    """Yield bars of one length, as many together as make a whole bar, none across the start of a section."""
    length = group[0].beats
    together = beats // length if beats % length == 0 else 1
    joined: list[WrittenBar] = []
    for bar in group:
        if joined and (len(joined) == together or bar.section):
            yield joined
            joined = []
        joined.append(bar)
    yield joined


def _fitted(joined: list[WrittenBar], beats: int) -> Iterator[tuple[Bar, str | None]]:
    """Yield bars of `beats` beats with the chords of some bars of another length."""
    length = joined[0].beats
    total = length * len(joined)
    count = max(round(total / beats), 1)
    room = count * beats
    changes = [
        replace(change, beat=change.beat + length * i)
        for i, bar in enumerate(joined)
        for change in bar.changes
    ]
    if total > room:
        squeezed = {floor(change.beat * room / total): change for change in reversed(changes)}
        changes = [replace(squeezed[beat], beat=Fraction(beat)) for beat in sorted(squeezed)]
    last = changes[0]
    for i in range(count):
        inside = [
            replace(change, beat=change.beat - i * beats)
            for change in changes
            if i * beats <= change.beat < (i + 1) * beats
        ]
        if not inside or inside[0].beat > 0:
            inside.insert(0, replace(last, beat=Fraction(0)))
        last = inside[-1]
        yield tuple(inside), joined[0].section if i == 0 else None
