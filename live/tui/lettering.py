"""Letters three terminal rows high, readable from the piano stool."""

from itertools import groupby
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

ROWS: Final = 3
"""Terminal rows of a line: five pixel rows and a blank one, two pixels to a cell."""

# One letter per entry, five pixel rows from the top, least significant bit on the right.
_FONT: Final[dict[str, tuple[int, int, int, int, int]]] = {
    " ": (0b00, 0b00, 0b00, 0b00, 0b00),
    "#": (0b01010, 0b11111, 0b01010, 0b11111, 0b01010),
    "+": (0b000, 0b010, 0b111, 0b010, 0b000),
    "-": (0b000, 0b000, 0b111, 0b000, 0b000),
    ".": (0b00, 0b00, 0b00, 0b00, 0b11),
    "/": (0b001, 0b001, 0b010, 0b100, 0b100),
    "0": (0b0110, 0b1001, 0b1001, 0b1001, 0b0110),
    "1": (0b010, 0b110, 0b010, 0b010, 0b111),
    "2": (0b1110, 0b0001, 0b0110, 0b1000, 0b1111),
    "3": (0b1110, 0b0001, 0b0110, 0b0001, 0b1110),
    "4": (0b1010, 0b1010, 0b1111, 0b0010, 0b0010),
    "5": (0b1111, 0b1000, 0b1110, 0b0001, 0b1110),
    "6": (0b0110, 0b1000, 0b1110, 0b1001, 0b0110),
    "7": (0b1111, 0b0001, 0b0010, 0b0100, 0b0100),
    "8": (0b0110, 0b1001, 0b0110, 0b1001, 0b0110),
    "9": (0b0110, 0b1001, 0b0111, 0b0001, 0b0110),
    "A": (0b01110, 0b10001, 0b11111, 0b10001, 0b10001),
    "B": (0b11110, 0b10001, 0b11110, 0b10001, 0b11110),
    "C": (0b01111, 0b10000, 0b10000, 0b10000, 0b01111),
    "D": (0b11110, 0b10001, 0b10001, 0b10001, 0b11110),
    "E": (0b1111, 0b1000, 0b1110, 0b1000, 0b1111),
    "F": (0b1111, 0b1000, 0b1110, 0b1000, 0b1000),
    "G": (0b01111, 0b10000, 0b10011, 0b10001, 0b01111),
    "H": (0b10001, 0b10001, 0b11111, 0b10001, 0b10001),
    "I": (0b1, 0b1, 0b1, 0b1, 0b1),
    "K": (0b1001, 0b1010, 0b1100, 0b1010, 0b1001),
    "L": (0b1000, 0b1000, 0b1000, 0b1000, 0b1111),
    "M": (0b10001, 0b11011, 0b10101, 0b10001, 0b10001),
    "N": (0b10001, 0b11001, 0b10101, 0b10011, 0b10001),
    "O": (0b01110, 0b10001, 0b10001, 0b10001, 0b01110),
    "P": (0b11110, 0b10001, 0b11110, 0b10000, 0b10000),
    "R": (0b11110, 0b10001, 0b11110, 0b10010, 0b10001),
    "S": (0b01111, 0b10000, 0b01110, 0b00001, 0b11110),
    "T": (0b11111, 0b00100, 0b00100, 0b00100, 0b00100),
    "U": (0b10001, 0b10001, 0b10001, 0b10001, 0b01110),
    "Y": (0b10001, 0b01010, 0b00100, 0b00100, 0b00100),
    "^": (0b00100, 0b01010, 0b10001, 0b00000, 0b00000),
    "a": (0b0000, 0b0111, 0b1001, 0b1001, 0b0111),
    "b": (0b1000, 0b1110, 0b1001, 0b1001, 0b1110),
    "d": (0b0001, 0b0111, 0b1001, 0b1001, 0b0111),
    "g": (0b0000, 0b0111, 0b1001, 0b0111, 0b1110),
    "i": (0b1, 0b0, 0b1, 0b1, 0b1),
    "j": (0b001, 0b000, 0b001, 0b101, 0b010),
    "l": (0b1, 0b1, 0b1, 0b1, 0b1),
    "m": (0b00000, 0b11010, 0b10101, 0b10101, 0b10101),
    "o": (0b0000, 0b0110, 0b1001, 0b1001, 0b0110),
    "s": (0b0000, 0b0111, 0b1100, 0b0011, 0b1110),
    "t": (0b010, 0b111, 0b010, 0b010, 0b011),
    "u": (0b0000, 0b1001, 0b1001, 0b1001, 0b0111),
}
_HALVES: Final = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def _width(letter: str) -> int:
    return max(2, max(row.bit_length() for row in _FONT[letter]))


def _pixels(text: str, row: int) -> list[bool]:
    if row >= 5:
        return [False] * letter_width(text)
    line: list[bool] = []
    for letter in text:
        width = _width(letter)
        line += [bool(_FONT[letter][row] >> bit & 1) for bit in reversed(range(width))]
        line.append(False)
    return line


def has_letters(text: str) -> bool:
    """Return whether the font has every letter of `text`: those of the screen's words and of chords."""
    return all(letter in _FONT for letter in text)


def letter_width(text: str) -> int:
    """Return the cells `text` takes, a blank one after each letter included."""
    return sum(_width(letter) + 1 for letter in text)


def letter_rows(text: str) -> tuple[str, ...]:
    """Return the `ROWS` lines of text that draw `text`.

    Raises:
        KeyError: if the font has no such letter; see `has_letters`.
    """
    return tuple(
        "".join(
            _HALVES[pair] for pair in zip(_pixels(text, 2 * row), _pixels(text, 2 * row + 1), strict=True)
        )
        for row in range(ROWS)
    )


def row_segments(row: str, style: Style) -> list[Segment]:
    """Return a row of `letter_rows`; cells filled in both halves are background, which leaves no seams."""
    solid = style + Style.from_color(style.bgcolor, style.color)
    return [
        Segment(" " * count, solid) if glyph == "█" else Segment(glyph * count, style)
        for glyph, cells in groupby(row)
        for count in [len(list(cells))]
    ]


class Lettering(Widget):
    """One word in large letters, in the widget's own colour."""

    def __init__(self, text: str = " ", *, id: str | None = None) -> None:
        """Start with `text` on the screen."""
        super().__init__(id=id)
        self._rows = letter_rows(text)
        self._text = text

    @property
    def text(self) -> str:
        """The word shown."""
        return self._text

    def show(self, text: str) -> None:
        """Show another word."""
        if text != self._text:
            self._text, self._rows = text, letter_rows(text)
            self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the word in cells."""
        return len(self._rows[0])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return `ROWS`."""
        return ROWS

    def render_line(self, y: int) -> Strip:
        """Draw one of the rows."""
        style = self.rich_style
        if y >= ROWS:
            return Strip.blank(self.size.width, style)
        row = self._rows[y]
        return Strip(row_segments(row, style), len(row)).adjust_cell_length(self.size.width, style)
