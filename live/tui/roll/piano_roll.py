"""The piano roll: the last seconds of both players, the planned future, and the line between them."""

from itertools import groupby
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tatumflow.engine.harmony.instruments import WRITTEN, Instrument
from tatumflow.engine.messages import Snapshot
from tatumflow.live.tui.labels import pitch_name
from tatumflow.live.tui.palette import COMPANION_GLYPH, PLANNED_GLYPH, YOU_GLYPH
from tatumflow.live.tui.roll.roll_layout import FUTURE, PAST, Ink, PitchWindow, TimeGrid, fit, rows_of

_GUTTER: Final = 4
_NOW: Final = "│"
_GLYPHS: Final[dict[int, str]] = {
    Ink.EMPTY: " ",
    Ink.YOU: " ",
    Ink.YOU_ONSET: YOU_GLYPH,
    Ink.COMPANION: "─",
    Ink.COMPANION_ONSET: COMPANION_GLYPH,
    Ink.PLANNED: "╌",
    Ink.PLANNED_ONSET: PLANNED_GLYPH,
}
_CLASSES: Final[dict[int, str]] = {
    Ink.YOU: "roll--you",
    Ink.YOU_ONSET: "roll--you",
    Ink.COMPANION: "roll--companion",
    Ink.COMPANION_ONSET: "roll--companion",
    Ink.PLANNED: "roll--planned",
    Ink.PLANNED_ONSET: "roll--planned",
}


class PianoRoll(Widget):
    """Time runs to the right, pitch upwards. The last row names the seconds.

    A human note is a solid bar that starts with ●, a companion's a ruled bar that starts with ◆, a planned
    one a dashed line that starts with ◇.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "roll--you",
        "roll--companion",
        "roll--planned",
        "roll--now",
        "roll--octave",
        "roll--label",
    }

    def __init__(self, instrument: Instrument = "C") -> None:
        """Start empty; pitches are labelled as an instrument in this key reads them."""
        super().__init__()
        self._written = WRITTEN[instrument]
        self._snapshot: Snapshot | None = None
        self._window: PitchWindow | None = None
        self._lines: tuple[bytes, ...] = ()

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot's notes; only rows that changed are drawn again."""
        self._snapshot = snapshot
        size = self.content_size
        rows, columns = size.height - 1, size.width - _GUTTER
        if rows < 1 or columns < 1:
            return
        window = fit((note.pitch for note in snapshot.notes), rows, self._window)
        lines = rows_of(snapshot.notes, window, TimeGrid(snapshot.time, columns), rows)
        if window != self._window or len(lines) != len(self._lines):
            self._window, self._lines = window, lines
            self.refresh()
            return
        changed = [
            Region(0, y, size.width, 1)
            for y, (old, new) in enumerate(zip(self._lines, lines, strict=True))
            if old != new
        ]
        self._lines = lines
        if changed:
            self.refresh(*changed)

    def on_resize(self) -> None:
        """Lay the notes out again for the new size."""
        self._window, self._lines = None, ()
        if self._snapshot is not None:
            self.show(self._snapshot)

    def render_line(self, y: int) -> Strip:
        """Draw a row of notes as runs of equal cells, or the row of seconds."""
        width, rows = self.content_size.width, self.content_size.height - 1
        if width <= _GUTTER:
            return Strip.blank(width, self.rich_style)
        if y >= rows:
            return self._seconds(width)
        line = self._lines[y] if y < len(self._lines) else bytes(width - _GUTTER)
        octave = self._window.octave(y, rows) if self._window else None
        empty = self.get_component_rich_style("roll--octave") if octave is not None else self.rich_style
        label = "" if octave is None else pitch_name(octave + self._written)
        segments = [Segment(f"{label:>{_GUTTER - 1}} ", self.get_component_rich_style("roll--label"))]
        now = TimeGrid(0.0, len(line)).now_column
        segments += self._runs(line[:now], empty)
        mark = self.get_component_rich_style("roll--now")
        under = self._style(line[now], empty)
        segments.append(Segment(_NOW, under + Style.from_color(mark.color) if not line[now] else under))
        segments += self._runs(line[now + 1 :], empty)
        return Strip(segments, width)

    def _runs(self, line: bytes, empty: Style) -> list[Segment]:
        return [
            Segment(_GLYPHS[ink] * len(list(cells)), self._style(ink, empty)) for ink, cells in groupby(line)
        ]

    def _style(self, ink: int, empty: Style) -> Style:
        return self.get_component_rich_style(_CLASSES[ink]) if ink else empty

    def _seconds(self, width: int) -> Strip:
        grid = TimeGrid(0.0, width - _GUTTER)
        cells = [" "] * width
        for second in range(-int(PAST), int(FUTURE) + 1, 2):
            text = "now" if second == 0 else f"{second:+d} s"
            start = _GUTTER + grid.column(second) - len(text) // 2
            if start >= 0 and start + len(text) <= width:
                cells[start : start + len(text)] = text
        return Strip([Segment("".join(cells), self.get_component_rich_style("roll--label"))], width)
