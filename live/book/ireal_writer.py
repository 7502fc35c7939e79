"""Charts as links of iReal Pro."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Final

from tatumflow.engine.harmony.changes import Bar, ChordChange
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import ROOT_NAMES
from tatumflow.live.book.ireal_chords import ireal_quality
from tatumflow.live.book.ireal_links import LinkedTune, write_link

_FOUR: Final = 4
_METRES: Final = {beats: f"T{beats}4" for beats in range(2, 10)}
_LETTERS: Final = {"A": "*A", "B": "*B", "C": "*C", "D": "*D", "Intro": "*i", "Verse": "*v"}
_NOT_IN_REMARKS: Final = str.maketrans("<>=", "()-")


def ireal_link(charts: Sequence[Chart], name: str = "") -> str:
    """Return the `irealb://` link of charts; several are a playlist of a name.

    Bars are written as they are played, chords with the nearest quality that the program knows. A metre of
    1 beat or more than 9 is written as a remark, since the program has no sign for it, and a pick-up is left
    out. A chart without a key is written in C.
    """
    return write_link([_linked(chart) for chart in charts], name)


def _linked(chart: Chart) -> LinkedTune:
    names = chart.composer.split()
    composer = " ".join(reversed(names)) if len(names) == 2 else chart.composer
    key = (chart.key or "C").replace("m", "-")
    return LinkedTune(chart.name, composer, chart.style, key, _music(chart), chart.tempo or 0.0)


def _music(chart: Chart) -> str:
    beats = chart.beats_per_bar
    metre = _METRES.get(beats, f"<{beats}/4>")
    sections = {section.bar: section.name for section in chart.sections}
    pieces: list[str] = []
    for number, bar in enumerate(chart.bars):
        line = "|"
        if number in sections or number == 0:
            line = f"{']' if number else ''}{_section(sections.get(number, ''))}["
        time = metre if number == 0 else ""
        repeated = (
            number and number not in sections and bar == chart.bars[number - 1] and _same(chart, number)
        )
        pieces.append(f"{line}{time}{' x  ' if repeated else _cells(bar, beats)}")
    return "".join(pieces) + "Z "


def _same(chart: Chart, number: int) -> bool:
    """Return whether a bar is written as the one before."""
    bar, before = chart.bars[number], chart.bars[number - 1]
    return bar == before and [change.symbol for change in bar] == [change.symbol for change in before]


def _section(name: str) -> str:
    if not name:
        return ""
    return _LETTERS.get(name) or f"<[{' '.join(name.translate(_NOT_IN_REMARKS).split())}]>"


def _cells(bar: Bar, beats: int) -> str:
    """Return a bar in a cell a beat, or in as many more as put every chord on its place.

    A bar of one chord has four cells, the width that the program lays bars out in.
    """
    parts = lcm(*(change.beat.denominator for change in bar))
    width = _FOUR if len(bar) == 1 and beats <= _FOUR else beats * parts
    places = {int(change.beat * Fraction(width, beats)): _chord(change) for change in bar}
    cells: list[str] = []
    for place in range(width):
        chord = places.get(place)
        follows = place + 1 < width and place + 1 in places
        cells.append(" " if chord is None else f"{chord}," if follows else chord)
    return "".join(cells)


def _chord(change: ChordChange) -> str:
    chord = change.chord
    if chord is None:
        return "n"
    slash = "" if chord.bass is None else f"/{ROOT_NAMES[chord.bass]}"
    return f"{ROOT_NAMES[chord.root]}{ireal_quality(change.tail, chord.quality)}{slash}"
