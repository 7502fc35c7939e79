"""The strip: begin and stop, loop, tempo, key and tempo of the next chorus, the band and its volumes."""

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.engine.messages import Snapshot
from tatumflow.live.tui.controls.control_table import STRIP
from tatumflow.live.tui.labels import number
from tatumflow.live.tui.strip.cells import BarsButton, ControlCell, LoopCell, level_glyph

_Text = Callable[[float | str], str]

_SHORT_STEPS: Final = {"fourth": "4th", "fifth": "5th", "semitone": "semi", "whole tone": "whole"}


def _word(value: float | str) -> str:
    return f"{value}"


def _short_step(value: float | str) -> str:
    return _SHORT_STEPS.get(f"{value}", f"{value}")


def _tempo(value: float | str) -> str:
    return f"{float(value):g} bpm"


def _bare(value: float | str) -> str:
    return f"{float(value):g}"


def _signed(value: float | str) -> str:
    return f"{float(value):+g}"


def _a_chorus(value: float | str) -> str:
    return f"{_signed(value)} a chorus"


def _volume(value: float | str) -> str:
    return number(float(value), "")


def _level(value: float | str) -> str:
    return level_glyph(float(value), CONTROL_SPECS["bass_volume"].high)


def _switch(value: float | str) -> str:
    return "on" if value else "off"


def _choruses(value: float | str) -> str:
    return f"{value}" if value else "∞"


_CELLS: Final[dict[str, tuple[tuple[str, str], tuple[_Text, _Text]]]] = {
    "tempo": (("", "♩"), (_tempo, _bare)),
    "tempo_step": (("", ""), (_a_chorus, _signed)),
    "key_step": (("key", "key"), (_word, _short_step)),
    "choruses": (("×", "×"), (_choruses, _choruses)),
    "band": (("band", "band"), (_switch, _switch)),
    "band_style": (("", ""), (_word, _word)),
    "bass_volume": (("bass", "B"), (_volume, _level)),
    "comping_volume": (("comp", "C"), (_volume, _level)),
    "drums_volume": (("drums", "D"), (_volume, _level)),
}


class MusicStrip(Horizontal):
    """One line under the chart."""

    def __init__(self) -> None:
        """Start with every control at its default."""
        super().__init__()
        self._buttons = (
            BarsButton(
                "▶",
                "bars",
                "Begins the bars, after the count-in.",
                lambda at: at is not None and not at.stopped,
            ),
            BarsButton(
                "■",
                "stop",
                "Stops the band, the clicks and the companion.",
                lambda at: at is not None and at.stopped,
            ),
        )
        self._loop = LoopCell()
        self._cells = {name: ControlCell(name, *_CELLS[name]) for name in STRIP}

    def compose(self) -> ComposeResult:
        """Lay the cells out."""
        yield from self._buttons
        yield self._loop
        yield from self._cells.values()

    @property
    def cells(self) -> tuple[Widget, ...]:
        """The cells that take the focus."""
        return (self._loop, *self._cells.values())

    def focus_cells(self) -> None:
        """Go to the band's first cell."""
        self._cells["band"].focus()

    def show(self, snapshot: Snapshot) -> None:
        """Take the engine's values; each cell draws only what changed."""
        for button in self._buttons:
            button.show(snapshot)
        self._loop.show(snapshot.controls)
        for name, cell in self._cells.items():
            cell.report(getattr(snapshot.controls, name))
