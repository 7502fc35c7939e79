"""A choice from a list: arrows and wheel go through it, Enter or a click opens it."""

from collections.abc import Callable
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.binding import Binding, BindingType

from tatumflow.live.tui.controls.control_row import ControlRow


class Choice(ControlRow[str]):
    """A control whose values are words. The whole list opens as a dialog, `app.choose(control)`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Choose", show=False)]

    def __init__(self, control: str, value: str, name_of: Callable[[str], str]) -> None:
        """Show `control` at `value`, written as `name_of` it."""
        super().__init__(control, value)
        self._name_of = name_of
        self.options: tuple[str, ...] = ()

    def moved(self, steps: int) -> str:
        """Return the option some places further, around the end."""
        if not self.options:
            return self.value
        at = self.options.index(self.value) if self.value in self.options else -1
        return self.options[(at + steps) % len(self.options)]

    async def action_open(self) -> None:
        """Open the list."""
        await self.run_action(f"app.choose({self.control!r})")

    async def on_click(self) -> None:
        """Open the list."""
        await self.action_open()

    def draw(self, width: int) -> list[Segment]:
        """Draw the option between two arrows."""
        name = set_cell_size(self._name_of(self.value), max(0, width - 4)).rstrip()
        arrow = self.get_component_rich_style("control--label")
        return [
            Segment("‹ ", arrow),
            Segment(name, self.get_component_rich_style("control--value")),
            Segment(" ›", arrow),
        ]
