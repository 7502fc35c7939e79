"""The base of dialogs: a framed box in the middle, Escape to leave."""

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

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


class EntryDialog(Dialog[Result]):
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


class ListDialog(EntryDialog[Result]):
    """A dialog with a field and a list under it, which typing narrows; arrows go through the list."""

    def __init__(self, title: str, keys: str, hint: str) -> None:
        """Frame the box; `hint` says what can be typed."""
        super().__init__(title, keys)
        self._hint = hint

    def body(self) -> ComposeResult:
        """Yield the filter and the list under it."""
        yield from self.entry(placeholder=self._hint)
        yield OptionList(compact=True)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(OptionList).can_focus = False
        self.fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the options that fit what was typed."""
        super().on_input_changed(event)
        self.fill(event.value)

    def key_up(self) -> None:
        """Go up the list from the filter."""
        self.query_one(OptionList).action_cursor_up()

    def key_down(self) -> None:
        """Go down the list from the filter."""
        self.query_one(OptionList).action_cursor_down()

    def fill(self, typed: str) -> None:
        """Fill the list with what fits what was typed."""
        raise NotImplementedError
