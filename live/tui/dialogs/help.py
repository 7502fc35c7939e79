"""The help page: the keys, the piano, the chart, the stems, the signs, and what each control does."""

from collections.abc import Iterable
from typing import get_args

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tatumflow.engine.control_specs import Group
from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.live.tui.controls.control_table import ACTION_LABELS, LABELS
from tatumflow.live.tui.dialogs.dialog import Dialog
from tatumflow.live.tui.palette import COMPANION_GLYPH, PLANNED_GLYPH, YOU_GLYPH
from tatumflow.live.tui.stems.stem_row import StemRow

_CONTROLS = (
    ("↑ ↓", "go from control to control"),
    ("← →", "less, more; with Shift five steps at once"),
    ("Home End", "least, most"),
    ("Del", "back to the default"),
    ("mouse", "click or drag a slider, or turn the wheel"),
)
_CHART = (
    ("click", "on a bar: go on from it with the next bar line"),
    ("▶ ■", "click: begin, stop"),
    ("loop", "click, Enter: loop the section; ← → move it"),
    ("← → wheel", "on a cell of the strip: less, more; the next"),
    ("Enter click", "on a cell: switch, choose, type a number"),
)
_SIGNS = (
    (f"[$you]{YOU_GLYPH}[/]", "you"),
    (f"[$companion]{COMPANION_GLYPH}[/]", "the companion"),
    (f"[$planned]{PLANNED_GLYPH}[/]", "planned: it can still change"),
    ("[$warning]▲[/]", "a timing figure out of its bounds"),
)
_STEM_HANDS = (
    ("← →", "softer, louder; with Shift five dB at once"),
    ("Del", "back to 0 dB"),
    ("mouse", "click name, M, S or track, or turn the wheel"),
)
_STEM_SIGNS = (
    (f"[$you]{YOU_GLYPH}[/]", "before a stem: the companion hears it"),
    ("[$success]▇▇▇[/] [$foreground]┃[/]", "level, -60 to 0 dB, and its peak"),
    ("[$muted]░░░[/]", "level of a stem that you do not hear"),
    ("[$error]▲[/]", "at the end of a meter: too loud"),
)
_PIANO = (
    ("Z S X D C V …", "the lower octave, black keys in the row above"),
    ("Q 2 W 3 E R …", "the octave over it"),
)


class Help(Dialog[None]):
    """Lists the bindings it is given, so that it always agrees with the keys."""

    def __init__(
        self,
        bindings: Iterable[Binding],
        key_name: dict[str, str],
        controllers: Iterable[tuple[str, int]] = (),
        *,
        stems: bool = False,
    ) -> None:
        """Describe the screen.

        Args:
            bindings: Keys.
            key_name: How each of them is written.
            controllers: What MIDI controllers steer, and the number of each.
            stems: Whether there is a stem strip.
        """
        super().__init__("Help", "Esc closes")
        self._rows = [
            (" ".join(key_name.get(key, key).capitalize() for key in binding.key.split(",")), binding.tooltip)
            for binding in bindings
            if binding.tooltip
        ]
        self._controllers = [
            (f"CC {number}", {**LABELS, **ACTION_LABELS}[target].lower()) for target, number in controllers
        ]
        self._stems = stems

    def body(self) -> ComposeResult:
        """Yield the sections."""
        with VerticalScroll():
            yield Static("KEYS", classes="group -first")
            yield Static(_table(self._rows, markup=False))
            yield Static("COMPUTER KEYBOARD AS PIANO", classes="group")
            yield Static(_table(_PIANO, markup=False))
            yield Static("CONTROLS", classes="group")
            yield Static(_table(_CONTROLS, markup=False))
            yield Static("CHART AND STRIP", classes="group")
            yield Static(_table(_CHART, markup=False))
            if self._controllers:
                yield Static("YOUR CONTROLLERS", classes="group")
                yield Static(_table(self._controllers, markup=False))
            if self._stems:
                yield Static("STEMS", classes="group")
                yield Static(_table(_stem_rows(), markup=False))
            yield Static("SIGNS", classes="group")
            yield Static(_table((*_SIGNS, *(_STEM_SIGNS if self._stems else ())), markup=True))
            for group in get_args(Group):
                yield Static(f"WHAT THE CONTROLS DO: {group.upper()}", classes="group")
                yield Static(_sentences(group), classes="sentences")


def _sentences(group: str) -> Table:
    """Return each control of a group with its sentence, which is broken beside its name, not under it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=14, style="bold")
    table.add_column(ratio=1)
    for spec in CONTROL_SPECS.values():
        if spec.group == group:
            table.add_row(spec.label, spec.full_help)
    return table


def _stem_rows() -> list[tuple[str, str]]:
    keys = [
        (binding.key_display or binding.key, binding.tooltip)
        for binding in StemRow.BINDINGS
        if isinstance(binding, Binding) and binding.tooltip
    ]
    return [*keys, *_STEM_HANDS]


def _table(rows: Iterable[tuple[str, str]], *, markup: bool) -> Content:
    lines = []
    for key, text in rows:
        sign = Content.from_markup(key) if markup else Content.from_markup("[b]$key[/]", key=key)
        lines.append(Content.assemble(sign.pad_right(max(1, 16 - sign.cell_length)), text))
    return Content("\n").join(lines)
