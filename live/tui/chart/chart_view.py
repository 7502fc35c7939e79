"""The chart on the screen: the chord now, large where there is room, and the bars around it."""

from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import ChordError
from tatumflow.engine.harmony.changes import bar_text
from tatumflow.engine.harmony.instruments import Instrument
from tatumflow.engine.messages import Position, Snapshot
from tatumflow.engine.tempo.tune import Tune, tune_of
from tatumflow.live.tui.chart.chart_lines import (
    BARS_PER_LINE,
    SAME,
    LeadSheet,
    bar_cells,
    beat_cells,
    lead_sheet,
    where_text,
)
from tatumflow.live.tui.lettering import ROWS, has_letters, letter_rows, letter_width, row_segments

_SIDE: Final = 18
_LARGE_SIDE: Final = 40
_LARGE_FROM: Final = 100
_SECTION: Final = 5


@lru_cache(maxsize=1)
def _heard_tune(text: str) -> Tune:
    chart = chart_named(text)
    return Tune(chart, len(chart.bars))


class _Shown(NamedTuple):
    """All that the picture depends on besides the size; it is drawn again when one of them changes."""

    sheet: LeadSheet
    first_bar: int
    choruses: int
    position: Position | None

    @property
    def bar(self) -> int:
        """The bar in progress, or the first."""
        at = None if self.position is None else self.position.chart_bar
        return 0 if at is None or at >= len(self.sheet.chart.bars) else at

    @property
    def beat(self) -> int:
        """The beat in progress; 0 where there is none."""
        position = self.position
        return 0 if position is None or position.chart_bar is None or position.stopped else position.beat

    @property
    def is_placed(self) -> bool:
        """Whether the music is in a bar of the chart, or stands there."""
        return self.position is not None and self.position.chart_bar is not None


class ChartView(Widget):
    """Chord now, section, bar and chorus on the left; lines of four bars on the right.

    It is there while there is a chart. Chords are written for the reader's instrument. A click on a bar goes
    there.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--now",
        "chart--text",
        "chart--label",
        "chart--chord",
        "chart--bar-line",
        "chart--current",
        "chart--beat",
    }

    class BarClicked(Message):
        """The user clicked on a bar."""

        def __init__(self, bar: int) -> None:
            """Carry the bar of the tune's chart, counted from 1."""
            super().__init__()
            self.bar = bar

    def __init__(self, instrument: Instrument = "C") -> None:
        """Start without a chart; chords are written for an instrument in this key."""
        super().__init__()
        self._instrument: Instrument = instrument
        self._tune: Tune | None = None
        self._sheet: LeadSheet | None = None
        self._shown: _Shown | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show where the music is in the chart."""
        shown = self._of(snapshot.controls, snapshot.position, snapshot.heard_chart)
        if shown != self._shown:
            self._shown = shown
            self.set_class(shown is not None, "-there")
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Go to the bar that was clicked on."""
        offset = event.get_content_offset(self)
        bar = None if offset is None else self.bar_at(offset.x, offset.y)
        if bar is not None:
            self.post_message(self.BarClicked(bar + 1))

    def bar_at(self, x: int, y: int) -> int | None:
        """Return the bar of the chart, from 0, that is drawn in a cell; None if there is none."""
        if self._shown is None:
            return None
        column, row = x - self._left, y - self._head
        lines = self._lines(self._shown)
        if column < 0 or not 0 <= row < len(lines):
            return None
        number = column // self._bar_width
        return lines[row][number] if number < len(lines[row]) else None

    def render_line(self, y: int) -> Strip:
        """Draw a line of the side and a line of bars."""
        width = self.content_size.width
        if self._shown is None or self._bar_width < 2:
            return Strip.blank(width, self.rich_style)
        segments = self._large(y) if self._is_large else self._small(y)
        row = y - self._head
        if row < 0:
            segments.append(Segment(self._heading(), self._style("text")))
        else:
            lines = self._lines(self._shown)
            if row < len(lines):
                segments += self._draw_line(lines[row], first=row == 0)
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _of(self, controls: Controls, position: Position | None, heard: str) -> _Shown | None:
        try:
            tune = _heard_tune(heard) if heard else tune_of(controls)
        except ChordError:
            return None
        if tune is None:
            return None
        looped = controls.loop_bars and tune.chorus_bars <= controls.loop_bars
        first = controls.loop_from if looped else 1
        choruses = controls.choruses
        # A tune is the same object while its controls stay, and hashing one takes longer than a poll should.
        if tune is not self._tune or self._sheet is None:
            self._tune, self._sheet = tune, lead_sheet(tune, self._instrument)
        return _Shown(self._sheet, first, choruses, _place(position))

    @property
    def _is_large(self) -> bool:
        size = self.content_size
        return size.width >= _LARGE_FROM and size.height > ROWS

    @property
    def _side(self) -> int:
        return _LARGE_SIDE if self._is_large else _SIDE

    @property
    def _left(self) -> int:
        """Column of the first bar line."""
        return self._side + (_SECTION if self._is_large else 0)

    @property
    def _head(self) -> int:
        """Row of the first line of bars."""
        return 1 if self._is_large else 0

    @property
    def _bar_width(self) -> int:
        return max(1, (self.content_size.width - self._left) // BARS_PER_LINE)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"chart--{name}")

    def _lines(self, shown: _Shown) -> tuple[range, ...]:
        return shown.sheet.lines_from(shown.bar, max(1, self.content_size.height - self._head))

    def _where(self) -> tuple[str, str]:
        shown = self._shown
        assert shown is not None
        return where_text(shown.sheet, shown.position, shown.first_bar, shown.choruses)

    def _heading(self) -> str:
        shown = self._shown
        assert shown is not None
        chart = shown.sheet.chart
        title = "  ".join(part for part in (chart.name, chart.composer, chart.style) if part)
        pickup = ""
        if chart.pickup is not None and not shown.is_placed:
            pickup = f"pick-up {bar_text(chart.pickup, chart.beats_per_bar)}"
        parts = (shown.sheet.sections[shown.bar], *self._where(), pickup, title)
        return "   ".join(part for part in parts if part)

    def _chords(self) -> tuple[str, str]:
        shown = self._shown
        assert shown is not None
        beat = max(1, shown.beat)
        return shown.sheet.chord_at(shown.bar, beat), shown.sheet.chord_after(shown.bar, beat)

    def _small(self, y: int) -> list[Segment]:
        """Draw the side in letters of one row."""
        shown = self._shown
        assert shown is not None
        now, following = self._chords()
        bar, chorus = self._where()
        if y == 0:
            chord = f" {now} "[:_SIDE]
            section = set_cell_size(f" {shown.sheet.sections[shown.bar]}", _SIDE - len(chord))
            return [Segment(chord, self._style("now")), Segment(section, self._style("text"))]
        short = f"{bar.replace('bar ', '').replace(' of ', '/')} {chorus.replace(' of ', '/')}".strip()
        lines = ("", short, f"→ {following}" if following else "", shown.sheet.chart.name)
        text = lines[y] if y < len(lines) else ""
        return [Segment(set_cell_size(text, _SIDE - 1) + " ", self._style("label" if y > 1 else "text"))]

    def _large(self, y: int) -> list[Segment]:
        """Draw the side with the chord in letters of three rows, and the name of the section of the line."""
        shown = self._shown
        assert shown is not None
        now, following = self._chords()
        lettered = has_letters(now) and letter_width(now) < _LARGE_SIDE
        if y < ROWS:
            text = letter_rows(now)[y] if lettered else now if y == 1 else ""
            segments = row_segments(set_cell_size(text, _LARGE_SIDE), self._style("text"))
        else:
            text = f"→ {following}" if following else ""
            segments = [Segment(set_cell_size(text, _LARGE_SIDE), self._style("label"))]
        if y > 0:
            lines = self._lines(shown)
            bar = lines[y - 1].start
            begins = shown.sheet.begins_section(bar)
            section = shown.sheet.sections[bar] if begins else ""
            segments.append(Segment(set_cell_size(section, _SECTION - 1) + " ", self._style("label")))
        return segments

    def _draw_line(self, bars: range, *, first: bool) -> list[Segment]:
        """Draw a line of bars; the one in progress lies in the first line."""
        shown = self._shown
        assert shown is not None
        sheet, cells = shown.sheet, self._bar_width - 1
        beats = sheet.chart.beats_per_bar
        segments: list[Segment] = []
        for bar in bars:
            same = bar > bars.start and sheet.repeats(bar)
            text = SAME.ljust(cells) if same else bar_cells(sheet.chart.bars[bar], beats, cells)
            line = "║" if sheet.begins_section(bar) else "│"
            segments.append(Segment(line, self._style("bar-line")))
            if not (first and bar == shown.bar and shown.is_placed):
                segments.append(Segment(text, self._style("chord")))
                continue
            marked = beat_cells(min(shown.beat, beats), beats, cells) if shown.beat else range(0)
            for start, end, style in (
                (0, marked.start, "current"),
                (marked.start, marked.stop, "beat"),
                (marked.stop, cells, "current"),
            ):
                segments.append(Segment(text[start:end], self._style(style)))
        segments.append(Segment("│", self._style("bar-line")))
        return segments


def _place(position: Position | None) -> Position | None:
    """Return a position without what the chart does not show, so that this alone draws nothing again."""
    if position is None:
        return None
    return Position(
        bar=min(position.bar, 1),
        beat=position.beat,
        beats_per_bar=position.beats_per_bar,
        tempo=0.0,
        chart_bar=position.chart_bar,
        chorus=position.chorus,
        stopped=position.stopped,
    )
