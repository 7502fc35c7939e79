"""Mouse handling of rows with a value: the wheel steps it, dragging sets it."""

from textual import events
from textual.widget import Widget


class Wheeled(Widget):
    """A row whose value the wheel steps."""

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
