"""A dialog for a number, for controls that a slider is too coarse for."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tatumflow.engine.errors import SettingError
from tatumflow.live.steering.control_range import control_range
from tatumflow.live.tui.controls.control_table import LABELS
from tatumflow.live.tui.dialogs.dialog import EntryDialog


class ValueDialog(EntryDialog[str]):
    """Returns what was typed, once it is a value that the control can have."""

    def __init__(self, control: str, value: float, check: Callable[[str], object]) -> None:
        """Show `control` at `value`; `check` raises a `SettingError` for a value that does not fit."""
        super().__init__(LABELS[control], "Enter sets · Esc closes")
        self._range = control_range(control)
        self._value = value
        self._check = check

    def body(self) -> ComposeResult:
        """Yield the allowed range and the field."""
        unit = f" {self._range.unit}" if self._range.unit else ""
        yield Static(
            f"{self._range.low:g} to {self._range.high:.10g}{unit}, default {self._range.default:g}",
            id="range",
        )
        yield from self.entry(f"{self._value:.10g}")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return what was typed, or show why it cannot be set."""
        typed = event.value.strip()
        try:
            if typed:
                self._check(typed)
        except SettingError as error:
            self.refuse(str(error))
        else:
            self.dismiss(typed or None)
