"""The base of rows with a meter: thirty times a second the meter alone is drawn again."""

from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.widget import Widget

from tatumflow.live.audio.levels import Level
from tatumflow.live.tui.stems.meter import MeterReading, meter_cells, read_meter


class Metered(Widget):
    """A row with a meter in some of its columns, which subclasses name."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--track",
        "meter--bar",
        "meter--unheard",
        "meter--mark",
        "meter--hot",
        "meter--over",
        "stem--name",
    }

    def __init__(self) -> None:
        """Start in silence."""
        super().__init__()
        self._level = Level()
        self._reading = MeterReading(0)
        self._kept_styles: dict[str, Style] = {}

    @property
    def meter_columns(self) -> range:
        """The columns of the meter."""
        return range(self.content_size.width)

    def show_level(self, level: Level) -> None:
        """Show the level; the meter is drawn again if that changes it."""
        self._level = level
        columns = self.meter_columns
        reading = read_meter(level, len(columns))
        if reading != self._reading:
            self._reading = reading
            self.refresh(Region(columns.start, 0, len(columns), 1))

    def component_style(self, name: str) -> Style:
        """Return `get_component_rich_style(name)`, kept from one drawing to the next.

        `refresh` clears Textual's own cache, and computing the style again takes longer than drawing the row.
        """
        if name not in self._kept_styles:
            self._kept_styles[name] = self.get_component_rich_style(name)
        return self._kept_styles[name]

    def notify_style_update(self) -> None:
        """Forget the styles when the stylesheet gives others."""
        self._kept_styles.clear()
        super().notify_style_update()

    def draw_meter(self, *, heard: bool) -> list[Segment]:
        """Draw the meter in its columns."""
        cells = meter_cells(read_meter(self._level, len(self.meter_columns)), heard=heard)
        return [
            Segment("".join(cell.glyph for cell in run), self.component_style(style))
            for style, run in groupby(cells, key=lambda cell: cell.style)
        ]
