"""What the mouse does to rows with a value: the wheel steps it, and a pressed button drags it along."""

from textual import events
from textual.widget import Widget


class Wheeled(Widget):
    """A row whose value the wheel steps."""

    def action_move(self, steps: int) -> None:
        """Change the value by some steps."""
        raise NotImplementedError

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Step up, and keep what the row stands in where it is."""
        event.stop()
        event.prevent_default()
        self.action_move(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Step down, and keep what the row stands in where it is."""
        event.stop()
        event.prevent_default()
        self.action_move(-1)


class Dragged(Widget):
    """A row whose value follows the mouse while its button is down; what begins that is the row's own."""

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
