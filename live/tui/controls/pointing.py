"""Mouse handling of rows with a value: the wheel steps it, dragging sets it."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget


class Wheeled(Widget):
    """A row whose value the wheel and the arrows step; up and down go to other rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("left", "move(-1)", "Less", show=False),
        Binding("right", "move(1)", "More", show=False),
    ]

    def action_move(self, steps: int) -> None:
        """Change the value by some steps."""
        raise NotImplementedError

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Step up, without scrolling the panel around the row."""
        event.stop()
        event.prevent_default()
        self.action_move(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Step down, without scrolling the panel around the row."""
        event.stop()
        event.prevent_default()
        self.action_move(-1)


class Dragged(Widget):
    """A row whose value follows the mouse while its button is down; subclasses decide where a drag begins."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+left", "move(-5)", "Much less", show=False),
        Binding("shift+right", "move(5)", "Much more", show=False),
        Binding("home", "move(-1000)", "Least", show=False),
        Binding("end", "move(1000)", "Most", show=False),
        Binding("delete,backspace", "reset", "Default", show=False),
    ]

    def follow(self, event: events.MouseEvent) -> None:
        """Take the value that lies where the mouse is."""
        raise NotImplementedError

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse while its button is down."""
        if self.app.mouse_captured is self:
            self.follow(event)

    def on_mouse_up(self) -> None:
        """Let the mouse go."""
        self.release_mouse()
