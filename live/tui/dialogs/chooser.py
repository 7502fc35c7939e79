"""A list to choose from; typing narrows it."""

from collections.abc import Mapping
from typing import Final

from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tatumflow.live.tui.dialogs.dialog import ListDialog

_NARROW: Final = "Type to narrow the list"


class Chooser(ListDialog[str]):
    """Returns the value chosen, None when left."""

    def __init__(self, title: str, options: Mapping[str, str], current: str) -> None:
        """Offer a list.

        Args:
            title: What is chosen.
            options: Values and what each is called.
            current: The value to start at.
        """
        super().__init__(title, "Enter takes · Esc closes", _NARROW)
        self._options = dict(options)
        self._offered = list(options)
        self._current = current

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the highlighted option; show that there is none."""
        if self._offered:
            self.query_one(OptionList).action_select()
        else:
            self.refuse(f"nothing in the list contains {event.value.strip()!r}")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the option taken."""
        self.dismiss(self._offered[event.option_index])

    def fill(self, typed: str) -> None:
        """Offer the options that contain what was typed."""
        self._offered = [
            value for value, name in self._options.items() if typed.strip().casefold() in name.casefold()
        ]
        options = self.query_one(OptionList)
        options.set_options([Option(self._options[value]) for value in self._offered])
        if self._offered:
            options.highlighted = self._offered.index(self._current) if self._current in self._offered else 0
