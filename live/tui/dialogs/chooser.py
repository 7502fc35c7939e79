"""A list to choose from; typing narrows it."""

from collections.abc import Callable, Mapping
from typing import Final

from textual.app import ComposeResult
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.tui.dialogs.dialog import EntryDialog

_NARROW: Final = "Type to narrow the list"


class Chooser(EntryDialog):
    """Returns the value chosen, None when left."""

    def __init__(
        self,
        title: str,
        options: Mapping[str, str],
        current: str,
        *,
        read: Callable[[str], str] | None = None,
        hint: str = _NARROW,
    ) -> None:
        """Offer a list.

        Args:
            title: What is chosen.
            options: Values and what each is called.
            current: The value to start at.
            read: Returns the value of what was typed where no option contains it, or raises a
                `TatumFlowError`; None takes only what is in the list.
            hint: What can be typed.
        """
        super().__init__(title, "Enter takes · Esc closes")
        self._read = read
        self._hint = hint
        self._options = dict(options)
        self._offered = list(options)
        self._current = current

    def body(self) -> ComposeResult:
        """Yield the filter and the list under it."""
        yield from self.entry(placeholder=self._hint)
        yield OptionList(compact=True)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(OptionList).can_focus = False
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the options that contain what was typed."""
        super().on_input_changed(event)
        self._fill(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the highlighted option, or what was typed if there is none; show why it cannot be taken."""
        typed = event.value.strip()
        if self._offered:
            self.query_one(OptionList).action_select()
        elif self._read is None:
            self.refuse(f"nothing in the list contains {typed!r}")
        else:
            try:
                self.dismiss(self._read(typed))
            except TatumFlowError as error:
                self.refuse(str(error))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the option taken."""
        self.dismiss(self._offered[event.option_index])

    def key_up(self) -> None:
        """Go up the list from the filter."""
        self.query_one(OptionList).action_cursor_up()

    def key_down(self) -> None:
        """Go down the list from the filter."""
        self.query_one(OptionList).action_cursor_down()

    def _fill(self, typed: str) -> None:
        self._offered = [
            value for value, name in self._options.items() if typed.strip().casefold() in name.casefold()
        ]
        options = self.query_one(OptionList)
        options.set_options([Option(self._options[value]) for value in self._offered])
        if self._offered:
            options.highlighted = self._offered.index(self._current) if self._current in self._offered else 0
