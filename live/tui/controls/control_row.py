"""The base of sliders and choices: one row, a label and a value."""

from typing import ClassVar, Final, Generic, TypeVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from tatumflow.live.tui.controls.control_table import LABELS
from tatumflow.live.tui.controls.patience import PatientValue
from tatumflow.live.tui.controls.pointing import Wheeled

LABEL_WIDTH: Final = 12

Value = TypeVar("Value", bound=float | str)


class ControlChanged(Message):
    """The user set a control."""

    def __init__(self, name: str, value: str | float) -> None:
        """Carry the control's name and its new value."""
        super().__init__()
        self.name = name
        self.value = value


class ControlRow(Wheeled, Generic[Value], can_focus=True):
    """One control on one row. Subclasses draw the part after the label and define what a step is."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"control--label", "control--value"}

    def __init__(self, control: str, value: Value) -> None:
        """Show `control` at `value`."""
        super().__init__(id=control.replace("_", "-"))
        self.control = control
        self._value = PatientValue(value)

    @property
    def value(self) -> Value:
        """The value shown; one set here at once."""
        return self._value.value

    def report(self, value: Value) -> None:
        """Take the engine's value."""
        if self._value.report(value):
            self.refresh()

    def set_value(self, value: Value) -> None:
        """Show a value that the user chose, and request it from the engine."""
        if self._value.set(value):
            self.refresh()
            self.post_message(ControlChanged(self.control, value))

    def action_move(self, steps: int) -> None:
        """Change the value by some steps."""
        self.set_value(self.moved(steps))

    def moved(self, steps: int) -> Value:
        """Return the value some steps away; a row without steps keeps its value."""
        return self.value

    def draw(self, width: int) -> list[Segment]:
        """Draw everything after the label in `width` cells; here the bare value."""
        return [Segment(f"{self.value}"[:width], self.get_component_rich_style("control--value"))]

    def render_line(self, y: int) -> Strip:
        """Draw the row."""
        width = self.content_size.width
        if y > 0:
            return Strip.blank(width, self.rich_style)
        label = Segment(
            f"{LABELS[self.control]:<{LABEL_WIDTH}}", self.get_component_rich_style("control--label")
        )
        strip = Strip([label, *self.draw(max(0, width - LABEL_WIDTH))])
        return strip.adjust_cell_length(width, self.rich_style)
