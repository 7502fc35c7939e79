"""The lit keyboard: what sounds now and who plays it."""

from itertools import groupby
from typing import ClassVar, Final

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tatumflow.engine.messages import Snapshot
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Role
from tatumflow.live.tui.palette import GLYPHS

_BLACK: Final = frozenset({1, 3, 6, 8, 10})
_NARROW_LOWEST: Final = 24


class Keyboard(Widget):
    """One column a semitone: the whole piano where 88 columns are free, else six octaves from C1.

    The letters of the computer-keyboard piano stand on the keys they play.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "keyboard--white",
        "keyboard--black",
        "keyboard--you",
        "keyboard--companion",
    }

    def __init__(self) -> None:
        """Start with no key down."""
        super().__init__()
        self._held: dict[int, Role] = {}
        self._letters: dict[int, str] = {}

    @property
    def lit(self) -> dict[int, Role]:
        """The pitches lit, and by whom; you where both hold one."""
        return dict(self._held)

    def show(self, snapshot: Snapshot) -> None:
        """Light the keys that sound."""
        held = {pitch: role for role, pitch in sorted(snapshot.held, reverse=True)}
        if held != self._held:
            self._held = held
            self.refresh()

    def show_letters(self, letters: dict[int, str]) -> None:
        """Write the letters of the computer-keyboard piano on their keys."""
        if letters != self._letters:
            self._letters = letters
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a row: black keys reach down to the last one, which belongs to the white keys."""
        width, height = self.content_size.width, self.content_size.height
        low, high = (PITCH_LOWEST, PITCH_HIGHEST) if width >= 88 else (_NARROW_LOWEST, _NARROW_LOWEST + 72)
        high = min(high, low + width - 1)
        margin = (width - (high - low + 1)) // 2
        cells = [self._cell(pitch, y, height) for pitch in range(low, high + 1)]
        segments = [Segment(" " * margin, self.rich_style)]
        for name, group in groupby(cells, key=lambda cell: cell[1]):
            segments.append(
                Segment("".join(glyph for glyph, _ in group), self.get_component_rich_style(name))
            )
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _cell(self, pitch: int, y: int, height: int) -> tuple[str, str]:
        black, front = pitch % 12 in _BLACK, y == height - 1
        face = "keyboard--black" if black and not front else "keyboard--white"
        if black and front:
            return "│", face
        letter_row = height - 2 if black else height - 1
        glyph = self._letters.get(pitch, " ") if y == letter_row else " "
        role = self._held.get(pitch)
        if role is None:
            divided = front and pitch % 12 in (0, 5) and glyph == " "
            return ("▏" if divided else glyph), face
        return (GLYPHS[role] if y == letter_row else " "), (
            "keyboard--you" if role is Role.HUMAN else "keyboard--companion"
        )
