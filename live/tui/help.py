"""The help page: the keys, the piano, the signs."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tatumflow.live.tui.dialog import Dialog
from tatumflow.live.tui.palette import COMPANION_GLYPH, PLANNED_GLYPH, YOU_GLYPH

_CONTROLS = (
    ("↑ ↓", "go from control to control"),
    ("← →", "less, more; with Shift five steps at once"),
    ("Home End", "least, most"),
    ("Del", "back to the default"),
    ("mouse", "click or drag a slider, or turn the wheel"),
)
_SIGNS = (
    (f"[$you]{YOU_GLYPH}[/]", "you"),
    (f"[$companion]{COMPANION_GLYPH}[/]", "the companion"),
    (f"[$planned]{PLANNED_GLYPH}[/]", "planned: it can still change its mind"),
    ("[$warning]▲[/]", "a timing figure out of its bounds"),
)
_PIANO = (
    ("Z S X D C V …", "the lower octave, black keys in the row above"),
    ("Q 2 W 3 E R …", "the octave over it"),
)


class Help(Dialog[None]):
    """Lists the bindings it is given, so that it never says anything else than the keys do."""

    def __init__(self, bindings: Iterable[Binding], key_name: dict[str, str]) -> None:
        """Describe `bindings`, each key written as in `key_name`."""
        super().__init__("Help", "Esc closes")
        self._rows = [
            (" ".join(key_name.get(key, key).capitalize() for key in binding.key.split(",")), binding.tooltip)
            for binding in bindings
            if binding.tooltip
        ]

    def body(self) -> ComposeResult:
        """Yield the sections."""
        with VerticalScroll():
            yield Static("KEYS", classes="group -first")
            yield Static(_table(self._rows, markup=False))
            yield Static("COMPUTER KEYBOARD AS PIANO", classes="group")
            yield Static(_table(_PIANO, markup=False))
            yield Static("CONTROLS", classes="group")
            yield Static(_table(_CONTROLS, markup=False))
            yield Static("SIGNS", classes="group")
            yield Static(_table(_SIGNS, markup=True))


def _table(rows: Iterable[tuple[str, str]], *, markup: bool) -> Content:
    lines = []
    for key, text in rows:
        sign = Content.from_markup(key) if markup else Content.from_markup("[b]$key[/]", key=key)
        lines.append(Content.assemble(sign.pad_right(max(1, 16 - sign.cell_length)), text))
    return Content("\n").join(lines)
