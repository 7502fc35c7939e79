"""A list to choose from; typing narrows it."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tatumflow.live.tui.dialog import Dialog


class Chooser(Dialog[str | None]):
    """Returns the value chosen, None when left."""

    def __init__(self, title: str, options: Mapping[str, str], current: str) -> None:
        """Offer `options`, values with their names, starting at `current`."""
        super().__init__(title, "Enter takes · Esc closes")
        self._options = dict(options)
        self._offered = list(options)
        self._current = current

    def body(self) -> ComposeResult:
        """Yield the filter and the list under it."""
        yield Input(placeholder="Type to narrow the list", compact=True)
        yield OptionList(compact=True)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(OptionList).can_focus = False
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the options that contain what was typed."""
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        """Take the highlighted option."""
        self.query_one(OptionList).action_select()

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
