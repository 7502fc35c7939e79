"""A slider: arrows, wheel, click and drag; Home, End, and Delete for the default."""

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType

from tatumflow.live.tui.control_row import LABEL_WIDTH, ControlRow
from tatumflow.live.tui.control_table import control_range

_VALUE_WIDTH: Final = 7


class Slider(ControlRow[float]):
    """A numeric control between the limits the engine gives it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"slider--filled", "slider--empty", "slider--thumb"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+left", "move(-5)", "Much less", show=False),
        Binding("shift+right", "move(5)", "Much more", show=False),
        Binding("home", "move(-1000)", "Least", show=False),
        Binding("end", "move(1000)", "Most", show=False),
        Binding("delete,backspace", "reset", "Default", show=False),
    ]

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
            self._follow(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse while its button is down."""
        if self.app.mouse_captured is self:
            self._follow(event)

    def on_mouse_up(self) -> None:
        """Let the mouse go."""
        self.release_mouse()

    def _follow(self, event: events.MouseEvent) -> None:
        track = self._track(self.content_size.width - LABEL_WIDTH)
        self.set_value(self.range.at((event.x - LABEL_WIDTH) / max(1, track - 1)))

    @staticmethod
    def _track(width: int) -> int:
        return max(1, width - _VALUE_WIDTH)

    def draw(self, width: int) -> list[Segment]:
        """Draw the track, filled from zero (or the least value) to the thumb, and the value."""
        track = self._track(width)
        thumb = round(self.range.fraction(self.value) * (track - 1))
        zero = round(self.range.fraction(min(self.range.high, max(self.range.low, 0.0))) * (track - 1))
        first, last = min(zero, thumb), max(zero, thumb)
        filled = self.get_component_rich_style("slider--filled")
        empty = self.get_component_rich_style("slider--empty")
        return [
            Segment("─" * first, empty),
            Segment("━" * (thumb - first), filled),
            Segment("●", self.get_component_rich_style("slider--thumb")),
            Segment("━" * (last - thumb), filled),
            Segment("─" * (track - 1 - last), empty),
            Segment(
                f"{self.range.text(self.value):>{_VALUE_WIDTH}}",
                self.get_component_rich_style("control--value"),
            ),
        ]
