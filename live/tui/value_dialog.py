"""A number typed in, for controls that a slider is too coarse for."""

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tatumflow.live.steering.control_range import control_range
from tatumflow.live.tui.control_table import LABELS
from tatumflow.live.tui.dialog import Dialog


class ValueDialog(Dialog[str | None]):
    """Returns what was typed; the engine checks it and says what it allows."""

    def __init__(self, control: str, value: float) -> None:
        """Ask for `control`, now at `value`."""
        super().__init__(LABELS[control], "Enter sets · Esc closes")
        self._range = control_range(control)
        self._value = value

    def body(self) -> ComposeResult:
        """Yield the allowed range and the field."""
        unit = f" {self._range.unit}" if self._range.unit else ""
        yield Static(f"{self._range.low:g} to {self._range.high:.10g}{unit}, default {self._range.default:g}")
        yield Input(f"{self._value:.10g}", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return what was typed."""
        self.dismiss(event.value.strip() or None)
