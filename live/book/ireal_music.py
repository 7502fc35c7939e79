"""The music of an iReal Pro chart: cells, bar lines and marks, read into written bars.

The marks are those of the program's published chart protocol. What is unknown is left out.
"""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor
from typing import Final

from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.harmony.chart import MOST_BEATS
from tatumflow.engine.harmony.form import Jump, Marks
from tatumflow.live.book.assembly import Header, WrittenBar, assemble, one_line, section_name
from tatumflow.live.book.ireal_chords import spelled
from tatumflow.live.book.ireal_links import LinkedTune
from tatumflow.live.book.symbols import read_symbol
from tatumflow.live.book.tunes import Notice, NoticeKind, ReadTune

_TOKEN: Final = re.compile(
    r"""
    (?P<remark> <[^>]*>? )
  | (?P<alternate> \([^)]*\)? )
  | \*(?P<section> [A-Za-z] )
  | T(?P<metre> \d\d )
  | N(?P<ending> \d )
  | (?P<root> [A-GW][b\#]? )
        (?P<quality> (?:sus|alt|add|[Mm]aj|min|dim|aug|[Mm]|[-+^oh\dbø\#Δ])* )
        (?:\*(?P<own> [^*|\[\]{}<>]{1,16} )\*)?
        (?: / (?P<bass> [A-G][b\#]? ) | / (?P<nine> 9 ) )?
  | p? / (?P<under> [A-G][b\#]? )
  | (?P<again> cl )
  | (?P<line> [|\[\]{}Z] )
  | (?P<cell> [ pxrn] )
  | (?P<mark> [SQUf] )
  | [slY,.:;"\u00a0]
  | (?P<unknown> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_REPEATED: Final = re.compile(r"(\d{1,2})\s*[x×]", re.IGNORECASE)
_JUMP: Final = re.compile(r"\bD\.?\s?(?P<sign>[CS])\b", re.IGNORECASE)
_TO_ENDING: Final = re.compile(r"(\d)\s?(?:st|nd|rd|th)", re.IGNORECASE)
_FINE: Final = re.compile(r"^\W*fine\W*$", re.IGNORECASE)
_METRE: Final = re.compile(r"(\d{1,2})/[48]")
_PLACED: Final = re.compile(r"^\*\d\d")
_NAMED_SECTION: Final = re.compile(r"\[([^\[\]]+)\]")
_SECTIONS: Final = {"i": "Intro", "v": "Verse", "V": "Verse"}
_COMPOUND: Final = {"12": 4, "98": 3}
_METRES: Final = {"22": 4, "32": 6}
_FOUR: Final = 4
_ROW: Final = 3
"""Bars that follow the first one of a row."""
_MOST_REPEATS: Final = 32


@dataclass
class _Cell:
    """A cell that holds something: the chord, None for no chord, or a slash that holds the one before."""

    place: int
    change: ChordChange | None


@dataclass
class _OpenBar:
    """A bar that is being read.

    Attributes:
        cells: What its cells hold.
        width: Cells so far.
        copies: Bars before that it repeats: 0, 1 or 2.
        marks: Its marks so far.
        section: Section that begins with it.
        alternate: Whether an alternate chord stands in it.
    """

    cells: list[_Cell] = field(default_factory=list)
    width: int = 0
    copies: int = 0
    marks: Marks = field(default_factory=Marks)
    section: str | None = None
    alternate: bool = False


class _Reader:
    """Reads one tune's music token by token."""

    def __init__(self, music: str) -> None:
        self.notices: list[Notice] = []
        self.bars: list[WrittenBar] = []
        self._music = music
        self._bar = _OpenBar()
        self._beats = _FOUR
        self._closed = True
        self._skips_blank = False
        self._times = 0
        self._chord = ChordChange(Fraction(0), None)
        self._signs: list[tuple[int, bool]] = []
        """Coda signs: the index of a bar, and whether the sign stands before its first chord."""

    def read(self) -> list[WrittenBar]:
        for token in _TOKEN.finditer(self._music):
            kind = token.lastgroup
            if kind == "line":
                self._line(token["line"])
            elif token["root"]:
                self._chord_cell(token)
            elif token["under"]:
                self._held_over(token["under"])
            elif kind == "again":
                # Some links have this of the abbreviation for a bar line and a repeated bar.
                self._cell("x")
            elif kind == "cell":
                self._cell(token["cell"])
            elif kind == "section":
                self._finish_begun()
                letter = token["section"]
                self._bar.section = _SECTIONS.get(letter, letter.upper())
            elif kind == "metre":
                self._metre(token["metre"])
            elif kind == "ending":
                self._finish_begun()
                endings = frozenset({int(token["ending"]) or 1 + self._last_ending()})
                self._bar.marks = replace(self._bar.marks, endings=endings)
            elif kind == "mark":
                self._mark(token["mark"])
            elif kind == "remark":
                self._remark(token["remark"].strip("<>"))
            elif kind == "alternate":
                self._bar.alternate = True
                self._notice("alternate", f"the alternate {one_line(token['alternate'])} is left out")
            elif kind == "unknown" and token["unknown"].strip():
                self._notice("unreadable", f"{one_line(token['unknown'])!r} is not understood; left out")
        self._finish()
        self._move_to_ends()
        return self._with_coda()

    @property
    def _number(self) -> int:
        return len(self.bars) + 1

    def _notice(self, kind: NoticeKind, text: str) -> None:
        self.notices.append(Notice(kind, self._number, text))

    def _last_ending(self) -> int:
        return next((max(bar.marks.endings) for bar in reversed(self.bars) if bar.marks.endings), 0)

    def _line(self, line: str) -> None:
        self._finish()
        if line in "]}Z" and self.bars:
            marks = self.bars[-1].marks
            if line == "}":
                marks = replace(marks, repeat_to=self._times or 2)
                self._times = 0
            self.bars[-1] = replace(self.bars[-1], marks=replace(marks, closes=True))
        if line == "{":
            self._times = 0
            self._bar.marks = replace(self._bar.marks, repeat_from=True)
        self._closed = line in "]}Z"

    def _chord_cell(self, token: re.Match[str]) -> None:
        if token["root"].startswith("W"):
            self._held_over(token["bass"])
            return
        quality = token["own"] or token["quality"]
        if token["own"] and token["quality"]:
            quality = token["quality"] + token["own"]
        symbol = token["root"] + spelled(quality + (token["nine"] or ""))
        self._add_symbol(symbol + (f"/{token['bass']}" if token["bass"] else ""), token[0])

    def _held_over(self, bass: str | None) -> None:
        """Add the chord before over another bass, or as it is."""
        if self._chord.chord is None or not bass:
            self._add(None)
        else:
            self._add_symbol(f"{self._chord.symbol.partition('/')[0]}/{bass}", f"/{bass}")

    def _add_symbol(self, symbol: str, written: str) -> None:
        """Add the chord of a symbol that is written otherwise."""
        read = read_symbol(symbol)
        if read is None:
            self._notice("unreadable", f"{one_line(written)!r} is not understood; the chord before is held")
            self._add(None)
            return
        if not read.exact:
            nearest = "no chord" if read.chord is None else read.chord.symbol
            self._notice("nearest", f"{one_line(written)} became {nearest}")
        self._add(ChordChange(Fraction(0), read.chord, read.tail))

    def _cell(self, cell: str) -> None:
        if cell == " ":
            # After a closing bar line, blank cells before a chord are the layout's.
            self._bar.width += self._has_begun() or not self._closed
        elif cell == "n":
            self._add(ChordChange(Fraction(0), None))
        elif cell == "p":
            self._add(None)
        else:
            self._bar.copies = 2 if cell == "r" else 1
            self._bar.width += 1

    def _add(self, change: ChordChange | None) -> None:
        self._bar.cells.append(_Cell(self._bar.width, change))
        self._bar.width += 1
        if change is not None:
            self._chord = change

    def _metre(self, metre: str) -> None:
        upper, lower = int(metre[0]), metre[1]
        if metre in _COMPOUND:
            self._beats = _COMPOUND[metre]
            name = "12/8" if metre == "12" else "9/8"
            self._notice("metre", f"{name} is counted in {self._beats}, with triplets")
        elif metre in _METRES:
            self._beats = _METRES[metre]
        elif upper and lower in "48":
            self._beats = min(upper, MOST_BEATS)
        else:
            self._notice("metre", f"a metre of {metre[0]}/{lower} is not known; {self._beats} beats stay")

    def _mark(self, mark: str) -> None:
        if mark == "S":
            self._bar.marks = replace(self._bar.marks, segno=True)
        elif mark == "Q":
            self._signs.append((len(self.bars), not self._bar.cells and not self._bar.copies))
        elif mark == "U":
            self._at_chord(replace(self._last_marks(), fine=True))

    def _remark(self, text: str) -> None:
        text = one_line(_PLACED.sub("", text.strip()))
        named = _NAMED_SECTION.fullmatch(text)
        metre = _METRE.fullmatch(text)
        jump = _JUMP.search(text)
        times = _REPEATED.search(text)
        if named:
            self._bar.section = section_name(named[1])
        elif metre and 1 <= int(metre[1]) <= MOST_BEATS:
            self._beats = int(metre[1])
        elif jump:
            lower = text.lower()
            ending = _TO_ENDING.search(lower)
            until = "coda" if "coda" in lower else "fine" if "fine" in lower else "ending" if ending else ""
            to_segno = jump["sign"].upper() == "S"
            number = int(ending[1]) if ending and until == "ending" else 0
            self._at_chord(replace(self._last_marks(), jump=Jump(to_segno, until, number)))
        elif _FINE.match(text):
            self._at_chord(replace(self._last_marks(), fine=True))
        elif times:
            self._times = min(max(int(times[1]), 1), _MOST_REPEATS)
        elif text:
            self._notice("remark", f"{text!r} is left out")

    def _last_marks(self) -> Marks:
        """Return the marks of the bar that a remark belongs to: the one being read, else the one before."""
        return self._bar.marks if self._is_open() or not self.bars else self.bars[-1].marks

    def _at_chord(self, marks: Marks) -> None:
        if self._is_open() or not self.bars:
            self._bar.marks = marks
        else:
            self.bars[-1] = replace(self.bars[-1], marks=marks)

    def _is_open(self) -> bool:
        """Return whether the bar at hand has begun: a remark before its first chord belongs to it too."""
        return self._has_begun() or not self._closed

    def _has_begun(self) -> bool:
        return bool(self._bar.cells or self._bar.copies)

    def _finish_begun(self) -> None:
        """End the bar at hand where a mark of the next one follows without a bar line."""
        if self._has_begun():
            self._finish()

    def _finish(self) -> None:
        """End the bar at hand, if there is one."""
        bar = self._bar
        if bar.copies:
            self._copy(bar)
        elif bar.cells or self._is_held():
            changes = self._placed(bar)
            self._append(bar, changes)
            self._skips_blank = False
        else:
            # Blank cells are the layout's; marks among them are those of the next bar.
            self._skips_blank = self._skips_blank and not bar.width
            bar.width = 0
            return
        self._bar = _OpenBar()

    def _is_held(self) -> bool:
        """Return whether blank cells are a bar that holds the chord before."""
        blank = self._bar.width == _FOUR or (self._bar.width > 0 and self._bar.alternate)
        return blank and not self._closed and not self._skips_blank and bool(self.bars)

    def _append(self, bar: _OpenBar, changes: tuple[ChordChange, ...]) -> None:
        self.bars.append(WrittenBar(self._number, changes, self._beats, bar.marks, bar.section))

    def _copy(self, bar: _OpenBar) -> None:
        if not self.bars:
            self._notice("unreadable", "a sign repeats the bars before the first; left out")
            return
        copied = self.bars[-bar.copies :]
        copied = copied if len(copied) == bar.copies else copied * bar.copies
        for i, source in enumerate(copied):
            marks = bar.marks if i == 0 else Marks()
            changes = source.changes
            self.bars.append(
                WrittenBar(self._number, changes, source.beats, marks, bar.section if i == 0 else None)
            )
            if changes:
                self._chord = changes[-1]
        self._skips_blank = bar.copies > 1

    def _placed(self, bar: _OpenBar) -> tuple[ChordChange, ...]:
        """Return the chords of a bar on their beats, by the cells that they stand in."""
        beats, width, count = self._beats, bar.width, len(bar.cells)
        if count == 0:
            return ()
        if count == 1 and bar.cells[0].place == 0:
            change = bar.cells[0].change
            return () if change is None else (change,)
        exact = [Fraction(cell.place * beats, width) for cell in bar.cells]
        if width % beats == 0:
            places = exact
        elif count == width != _FOUR:
            places = [Fraction(ceil(place)) for place in exact]
        elif count == 2 and width != _FOUR:
            places = [Fraction(0), Fraction(_rounded(Fraction(beats, 2)))]
        else:
            places = [Fraction(_rounded(place)) for place in exact]
        if len(set(places)) < count or places[-1] >= beats:
            places = [Fraction(i * beats, count) for i in range(count)]
        return tuple(
            replace(cell.change, beat=place)
            for cell, place in zip(bar.cells, places, strict=True)
            if cell.change is not None
        )

    def _move_to_ends(self) -> None:
        """Move jumps and Fine, which stand where their words have room, to the double bar that they mean."""
        bars = self.bars
        for i, bar in enumerate(bars):
            if bar.marks.closes:
                continue
            if bar.marks.jump is not None and (end := self._end(i, _ROW)) is not None:
                bars[end] = replace(bars[end], marks=replace(bars[end].marks, jump=bar.marks.jump))
                bars[i] = replace(bars[i], marks=replace(bars[i].marks, jump=None))
            if bar.marks.fine and (end := self._end(i, 1)) is not None:
                bars[end] = replace(bars[end], marks=replace(bars[end].marks, fine=True))
                bars[i] = replace(bars[i], marks=replace(bars[i].marks, fine=False))

    def _end(self, start: int, most: int) -> int | None:
        """Return the bar before the next double bar, None where that is more than `most` bars away."""
        for i in range(start + 1, min(start + 1 + most, len(self.bars))):
            if self.bars[i].marks.closes:
                return i
        return None

    def _with_coda(self) -> list[WrittenBar]:
        """Return the bars with the last coda sign as the coda, and the ones before it leading there."""
        bars = self.bars
        signs = [(min(index, len(bars) - 1), before) for index, before in self._signs if bars]
        if not signs or (len(signs) == 1 and not self._leads_to_coda(signs[0][0])):
            return bars
        *leading, (start, before) = signs
        coda = start if before else start + 1
        if coda >= len(bars):
            return bars
        bars[coda] = replace(bars[coda], marks=replace(bars[coda].marks, coda=True))
        for index, before_chord in leading:
            at = index - 1 if before_chord and index > 0 else index
            bars[at] = replace(bars[at], marks=replace(bars[at].marks, to_coda=True))
        return bars

    def _leads_to_coda(self, before: int) -> bool:
        """Return whether a jump before a bar leads to the coda, so that the only sign is the coda's."""
        return any(bar.marks.jump and bar.marks.jump.until == "coda" for bar in self.bars[:before])


def _rounded(place: Fraction) -> int:
    return floor(place + Fraction(1, 2))


def read_linked_tune(tune: LinkedTune) -> ReadTune:
    """Read a tune of a link.

    Raises:
        ChartError: if it has no bar with a chord, or is too long.
    """
    reader = _Reader(tune.music)
    bars = reader.read()
    tempo = tune.tempo * (3 if bars and "T68" in tune.music and bars[0].beats == 6 else 1)
    header = Header(_title(tune.title), _composer(tune.composer), tune.key, tune.style, tempo)
    return assemble(header, bars, reader.notices)


def _title(title: str) -> str:
    """Return a title as it is spoken: "The Gentle Rain" for "Gentle Rain, The"."""
    name, comma, article = title.rpartition(", ")
    return f"{article} {name}" if comma and article in ("The", "A", "An") else title


def _composer(composer: str) -> str:
    """Return a composer with the family name last, where there are two names."""
    names = composer.split()
    return " ".join(reversed(names)) if len(names) == 2 else composer
