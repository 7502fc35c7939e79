"""A slider: arrows, wheel, click and drag; Home, End, and Delete for the default."""

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events

from tatumflow.live.steering.control_range import control_range
from tatumflow.live.tui.controls.control_row import LABEL_WIDTH, ControlRow
from tatumflow.live.tui.controls.control_table import value_text
from tatumflow.live.tui.controls.pointing import Dragged
from tatumflow.live.tui.controls.track import TrackStyles, draw_track, value_at

_VALUE_WIDTH: Final = 7


class Slider(ControlRow[float], Dragged):
    """A numeric control between its limits."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"slider--filled", "slider--empty", "slider--thumb"}

    def __init__(self, control: str) -> None:
        """Show `control` at its default."""
        self.range = control_range(control)
        super().__init__(control, self.range.default)

    def moved(self, steps: int) -> float:
        """Return the value some steps away."""
        return self.range.moved(self.value, steps)

    def action_reset(self) -> None:
        """Go back to the default."""
        self.set_value(self.range.default)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Jump to the place clicked and follow the mouse from there."""
        if event.x >= LABEL_WIDTH:
            self.capture_mouse()
            self.follow(event)

    def follow(self, event: events.MouseEvent) -> None:
        """Take the value that lies where the mouse is."""
        track = self._track(self.content_size.width - LABEL_WIDTH)
        self.set_value(value_at(self.range, event.x - LABEL_WIDTH, track))

    @staticmethod
    def _track(width: int) -> int:
        return max(1, width - _VALUE_WIDTH)

    def draw(self, width: int) -> list[Segment]:
        """Draw the track and the value."""
        style = self.get_component_rich_style
        styles = TrackStyles(style("slider--filled"), style("slider--empty"), style("slider--thumb"))
        return [
            *draw_track(self.range, self.value, self._track(width), styles),
            Segment(f"{value_text(self.range, self.value):>{_VALUE_WIDTH}}", style("control--value")),
        ]
