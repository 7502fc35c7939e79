"""A tune laid out as a lead sheet: lines of four bars, each chord above its beat."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tatumflow.engine.harmony.changes import Bar
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.instruments import WRITTEN, Instrument
from tatumflow.engine.messages import Position
from tatumflow.engine.tempo.tune import Tune

BARS_PER_LINE: Final = 4

SAME: Final = "%"
"""Stands for a bar with the chords of the one before."""


@dataclass(frozen=True)
class LeadSheet:
    """A tune as a player reads it.

    Attributes:
        chart: The tune's chart in the reader's key.
        chorus_bars: Bars of one chorus, or of the loop.
        lines: The bars of each line, counted from 0; sections and choruses begin new lines.
        sections: Name of the section that each bar lies in; empty without one.
    """

    chart: Chart
    chorus_bars: int
    lines: tuple[range, ...]
    sections: tuple[str, ...]

    def line_of(self, bar: int) -> int:
        """Return the line that a bar lies in."""
        return next(number for number, line in enumerate(self.lines) if bar in line)

    def lines_from(self, bar: int, count: int) -> tuple[range, ...]:
        """Return so many lines from a bar's on; the first follows the last."""
        first = self.line_of(bar)
        return tuple(self.lines[(first + step) % len(self.lines)] for step in range(count))

    def begins_section(self, bar: int) -> bool:
        """Return whether a bar is the first of a section."""
        return any(section.bar == bar for section in self.chart.sections)

    def repeats(self, bar: int) -> bool:
        """Return whether a bar reads as the one before."""
        return bar > 0 and _symbols(self.chart.bars[bar]) == _symbols(self.chart.bars[bar - 1])

    def chord_at(self, bar: int, beat: int) -> str:
        """Return the chord of a bar, from 0, on a beat, from 1, as it is written."""
        return [change for change in self.chart.bars[bar] if change.beat <= beat - 1][-1].symbol

    def chord_after(self, bar: int, beat: int) -> str:
        """Return the next chord that differs from the one of a bar on a beat; empty if there is none."""
        change = self.chart.next_change(bar * self.chart.beats_per_bar + beat - 1)
        return "" if change is None else change.symbol


def lead_sheet(tune: Tune, instrument: Instrument = "C") -> LeadSheet:
    """Return a tune as the player of an instrument in this key reads it."""
    chart = tune.chart if instrument == "C" else tune.chart.transposed(WRITTEN[instrument])
    starts = {section.bar: section.name for section in chart.sections}
    sections: list[str] = []
    for bar in range(len(chart.bars)):
        before = sections[-1] if bar % tune.chorus_bars else ""
        sections.append(starts.get(bar, before))
    return LeadSheet(chart, tune.chorus_bars, tuple(_lines(chart, tune.chorus_bars)), tuple(sections))


def _lines(chart: Chart, chorus_bars: int) -> Iterator[range]:
    starts = {section.bar for section in chart.sections} | set(range(0, len(chart.bars), chorus_bars))
    bounds = [*sorted(starts), len(chart.bars)]
    for start, end in pairwise(bounds):
        for first in range(start, end, BARS_PER_LINE):
            yield range(first, min(first + BARS_PER_LINE, end))


def _symbols(bar: Bar) -> list[tuple[object, str]]:
    return [(change.beat, change.symbol) for change in bar]


def beat_cells(beat: int, beats: int, cells: int) -> range:
    """Return the cells of a beat, from 1, in a bar of so many beats and cells."""
    return range((beat - 1) * cells // beats, beat * cells // beats)


def bar_cells(bar: Bar, beats: int, cells: int) -> str:
    """Return a bar in so many cells: each chord where its beat begins, or after the one before.

    Where they do not fit, the last ones are cut off.
    """
    text = ""
    for change in bar:
        column = int(change.beat * cells / beats)
        text = (
            f"{text} {change.symbol}" if column <= len(text) and text else text.ljust(column) + change.symbol
        )
    return text.ljust(cells) if len(text) <= cells else text[: max(0, cells - 1)] + "…"[:cells]


def where_text(sheet: LeadSheet, position: Position | None, first_bar: int, choruses: int) -> tuple[str, str]:
    """Return where the music is: the bar of its chorus, and the chorus.

    Args:
        sheet: The tune.
        position: Where it is; None before it is known.
        first_bar: Number of the sheet's first bar in the whole chart, from 1.
        choruses: Choruses after which it ends; 0 for no end.
    """
    last = first_bar + sheet.chorus_bars - 1
    if position is not None and position.stopped:
        return "stopped", ""
    if position is None or position.chart_bar is None:
        return "count-in" if position is not None and position.bar < 1 else "", ""
    number = position.chart_bar % sheet.chorus_bars + first_bar
    of = f" of {choruses}" if choruses else ""
    return f"bar {number} of {last}", f"chorus {position.chorus}{of}"
