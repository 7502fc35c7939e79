"""The cells of the strip: each holds a control, or begins or stops the bars."""

from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tatumflow.engine.controls import CONTROL_SPECS, Controls
from tatumflow.engine.messages import Position, Snapshot
from tatumflow.live.steering.control_range import control_range
from tatumflow.live.tui.controls.control_row import ControlChanged, ControlRow
from tatumflow.live.tui.controls.pointing import Wheeled
from tatumflow.live.tui.strip.section_loop import loop_text, moved_loop

_LEVELS: Final = " ▁▂▃▄▅▆▇█"


def level_glyph(value: float, highest: float) -> str:
    """Return a column as high as a volume."""
    return _LEVELS[round(min(1.0, max(0.0, value / highest)) * (len(_LEVELS) - 1))]


def draw_cell(
    width: int, names: tuple[str, str], values: tuple[str, str], label: Style, value: Style
) -> list[Segment]:
    """Return a label and a value in so many cells: the long form of both, or the short one."""
    name, text = names[0], values[0]
    if cell_len(f"{name} {text}") > width:
        name, text = names[1], values[1]
    start = f"{name} " if name and cell_len(f"{name} {text}") <= width else name
    return [Segment(start, label), Segment(set_cell_size(text, max(0, width - cell_len(start))), value)]


class ControlCell(ControlRow[float | str]):
    """A control in a few cells. Arrows and wheel step it, Enter or a click opens or switches it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Set", show=False)]

    def __init__(
        self,
        control: str,
        names: tuple[str, str],
        texts: tuple[Callable[[float | str], str], Callable[[float | str], str]],
    ) -> None:
        """Show `control` with a long and a short label, and its value in a long and a short form."""
        super().__init__(control, CONTROL_SPECS[control].default)
        self._names = names
        self._texts = texts
        self.tooltip = CONTROL_SPECS[control].full_help

    def moved(self, steps: int) -> float | str:
        """Return the value some steps away; that of a list goes around."""
        spec = CONTROL_SPECS[self.control]
        if isinstance(self.value, str):
            at = spec.choices.index(self.value)
            return spec.choices[(at + steps) % len(spec.choices)]
        return control_range(self.control).moved(self.value, steps)

    async def action_open(self) -> None:
        """Switch the control, open its list, or let its number be typed."""
        spec = CONTROL_SPECS[self.control]
        if spec.is_switch:
            self.set_value(1 - int(self.value))
        elif spec.is_number:
            await self.run_action(f"app.number({self.control!r})")
        else:
            await self.run_action(f"app.choose({self.control!r})")

    async def on_click(self) -> None:
        """Do what Enter does."""
        await self.action_open()

    def render_line(self, y: int) -> Strip:
        """Draw the cell."""
        width = self.content_size.width
        if y > 0:
            return Strip.blank(width, self.rich_style)
        long, short = self._texts
        style = self.get_component_rich_style
        segments = draw_cell(
            width,
            self._names,
            (long(self.value), short(self.value)),
            style("control--label"),
            style("control--value"),
        )
        return Strip(segments).adjust_cell_length(width, self.rich_style)


class LoopCell(Wheeled, can_focus=True):
    """The loop. Enter or a click loops the section in progress or ends the loop; arrows and wheel move it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"control--label", "control--value"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.loop", "Loop", show=False)]

    def __init__(self) -> None:
        """Start without a loop."""
        super().__init__(id="loop")
        self._controls = Controls()
        self.tooltip = "Loops the section in progress, or ends the loop. Arrows and wheel move the loop."

    def show(self, controls: Controls) -> None:
        """Show the loop where it changed."""
        before, self._controls = self._controls, controls
        if loop_text(before) != loop_text(controls):
            self.refresh()

    def action_move(self, steps: int) -> None:
        """Move the loop by some of its lengths."""
        for name, value in moved_loop(self._controls, steps).items():
            self.post_message(ControlChanged(name, value))

    async def on_click(self) -> None:
        """Loop the section in progress, or end the loop."""
        await self.run_action("app.loop")

    def render_line(self, y: int) -> Strip:
        """Draw the cell."""
        width = self.content_size.width
        if y > 0:
            return Strip.blank(width, self.rich_style)
        text = loop_text(self._controls)
        style = self.get_component_rich_style
        segments = draw_cell(
            width, ("loop", "loop"), (text, text), style("control--label"), style("control--value")
        )
        return Strip(segments).adjust_cell_length(width, self.rich_style)


class BarsButton(Widget):
    """Begins or stops the bars at a click; lit while they run, or stand still."""

    def __init__(self, glyph: str, action: str, tooltip: str, lit: Callable[[Position | None], bool]) -> None:
        """Draw a glyph that does an action of the app; `lit` says when it is lit."""
        super().__init__(id=action)
        self._glyph = glyph
        self._action = action
        self._lit = lit
        self.tooltip = tooltip

    def show(self, snapshot: Snapshot) -> None:
        """Light the button, or no longer."""
        self.set_class(self._lit(snapshot.position), "-lit")

    async def on_click(self) -> None:
        """Do the action."""
        await self.run_action(f"app.{self._action}")

    def render_line(self, y: int) -> Strip:
        """Draw the glyph."""
        width = self.content_size.width
        return Strip([Segment(f" {self._glyph} ", self.rich_style)]).adjust_cell_length(
            width, self.rich_style
        )
