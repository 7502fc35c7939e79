"""The column of controls beside the roll."""

from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import chart_title
from tatumflow.engine.messages import Snapshot
from tatumflow.live.steering.control_choices import CHOICES, options_of
from tatumflow.live.tui.controls.choice import Choice
from tatumflow.live.tui.controls.control_table import GROUPS
from tatumflow.live.tui.controls.slider import Slider
from tatumflow.live.tui.labels import style_name

_CLOCK_NAMES: Final = {
    "internal": "our own",
    "midi": "MIDI clock",
    "link": "Ableton Link",
    "listen": "your playing",
}


def option_name(control: str, value: str) -> str:
    """Return a value of a choice as people read it."""
    if control in ("mode", "clock", "band_style"):
        return _CLOCK_NAMES.get(value, value)
    if control == "chords":
        return chart_title(value) or "no chart"
    return "none" if control == "style_b" and not value else style_name(value)


class ControlPanel(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The controls that matter while playing, in groups.

    It has no keys of its own: the focus moves it, and Page Up and Page Down are the piano's.
    """

    def __init__(self) -> None:
        """Start with every control at its default."""
        super().__init__()
        self._rows = {name: self._row(name) for controls in GROUPS.values() for name in controls}

    def compose(self) -> ComposeResult:
        """Lay the rows out, group by group."""
        for group, controls in GROUPS.items():
            yield Static(group.upper(), classes="group")
            for control in controls:
                yield self._rows[control]

    def on_mount(self) -> None:
        """Begin at the top, wherever the focus begins."""
        self.call_after_refresh(self.scroll_home, animate=False)

    def show(self, snapshot: Snapshot) -> None:
        """Take the engine's values."""
        for row in self._rows.values():
            if isinstance(row, Choice):
                row.options = options_of(row.control, snapshot.styles)
            row.report(getattr(snapshot.controls, row.control))

    @staticmethod
    def _row(control: str) -> Slider | Choice:
        if control not in CHOICES:
            return Slider(control)
        return Choice(control, getattr(Controls(), control), lambda value: option_name(control, value))
