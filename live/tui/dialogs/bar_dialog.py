"""A dialog for the number of a bar to go to."""

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tatumflow.live.tui.dialogs.dialog import EntryDialog


class BarDialog(EntryDialog[int]):
    """Returns a bar of the chart, counted from 1."""

    def __init__(self, bars: int) -> None:
        """Offer the bars of a chart of so many."""
        super().__init__("Go to bar", "Enter goes there · Esc closes")
        self._bars = bars

    def body(self) -> ComposeResult:
        """Yield the bars there are and the field."""
        yield Static(f"1 to {self._bars}", id="range")
        yield from self.entry()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the number, or show why it is no bar."""
        typed = event.value.strip()
        if typed.isdecimal() and 1 <= int(typed) <= self._bars:
            self.dismiss(int(typed))
        else:
            self.refuse(f"{typed!r} is not a bar of the chart, 1 to {self._bars}")
