"""What dialogs share: a framed box in the middle, Escape to leave."""

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A modal box with a title and a line of keys; the playing goes on behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", show=False)]

    def __init__(self, title: str, keys: str) -> None:
        """Frame the box with `title` above and `keys` below."""
        super().__init__()
        self._title = title
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical(id="box") as box:
            box.border_title = self._title
            box.border_subtitle = self._keys
            yield from self.body()

    def body(self) -> ComposeResult:
        """Yield what stands in the box."""
        yield Static()

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
