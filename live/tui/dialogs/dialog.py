"""The base of dialogs: a framed box in the middle, Escape to leave."""

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

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

    async def action_leave(self) -> None:
        """Close without a result, and end MIDI learn."""
        self.dismiss(None)
        await self.run_action("app.end_learning")


class EntryDialog(Dialog[str | None]):
    """A dialog with one field, `entry`, and under it the reason why its text is refused."""

    def entry(self, value: str = "", placeholder: str = "") -> ComposeResult:
        """Yield the field and the line for the reason, empty at first."""
        yield Input(value, placeholder=placeholder, compact=True)
        reason = Static(id="reason", markup=False)
        reason.display = False
        yield reason

    def refuse(self, reason: str) -> None:
        """Stay open and show the reason; an empty one hides the line."""
        line = self.query_one("#reason", Static)
        line.update(reason)
        line.display = bool(reason)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Clear the reason, which was for the text before."""
        self.refuse("")
