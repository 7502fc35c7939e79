"""The level meter of the audio input, under those of the stems."""

from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from tatumflow.live.audio.levels import Level
from tatumflow.live.tui.stems.metered import Metered
from tatumflow.live.tui.stems.stem_layout import stem_layout

_NAME = "input"
_RECORDING = "REC"


class InputMeter(Metered):
    """The label and meter columns of a stem's row; REC while the stems are recorded."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"input--recording"}

    def __init__(self) -> None:
        """Start in silence."""
        super().__init__()
        self._name_cells = 0
        self._recording = False

    @property
    def meter_columns(self) -> range:
        """The columns of the meter."""
        start = stem_layout(0, self._name_cells).meter.start
        return range(start, max(start, self.content_size.width))

    def lay_out(self, name_cells: int) -> None:
        """Take the width that the stems' names have."""
        if name_cells != self._name_cells:
            self._name_cells = name_cells
            self.refresh(layout=True)

    def show(self, level: Level, *, recording: bool) -> None:
        """Show the level, and whether the stems are recorded."""
        self.show_level(level)
        if recording != self._recording:
            self._recording = recording
            self.refresh()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return where the meters of the stems end."""
        return stem_layout(container.width, self._name_cells).meter.stop

    def render_line(self, y: int) -> Strip:
        """Draw the row."""
        width, columns, style = self.content_size.width, self.meter_columns, self.component_style
        if y > 0:
            return Strip.blank(width, self.rich_style)
        recording = _RECORDING if self._recording else ""
        name = set_cell_size(_NAME, columns.start - len(recording) - 1)
        return Strip(
            [
                Segment(name, style("stem--name")),
                Segment(f"{recording} ", style("input--recording")),
                *self.draw_meter(heard=True),
            ]
        ).adjust_cell_length(width, style("stem--name"))
