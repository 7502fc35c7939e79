"""Lead sheets of Impro-Visor (`.ls`): chords in bars, bars in sections."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.harmony.chart import MOST_BEATS
from tatumflow.live.book.assembly import Header, WrittenBar, assemble, one_line
from tatumflow.live.book.symbols import read_symbol
from tatumflow.live.book.tunes import Notice, ReadTune

_TOKEN: Final = re.compile(r"[()|]|[^\s()|]+(?:\([^\s()|]*\)[^\s()|]*)*")
_CHORD: Final = re.compile(r"[A-G]|NC|N\.C\.")
_QUARTER: Final = 4
_MOST_SHARPS: Final = 7
_KEYS: Final = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_COMPOUND: Final = {9: 3, 12: 4}
_EIGHTH: Final = 8
_LONGEST_TOKEN: Final = 64


@dataclass
class _Sheet:
    """A lead sheet that is being read; `bars` holds the entries of each bar, `starts` the sections' bars."""

    words: dict[str, list[str]] = field(default_factory=dict)
    bars: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)


def read_leadsheet(text: str, name: str = "") -> ReadTune:
    """Read the chords of a lead sheet.

    The entries of a bar share it evenly; `/` holds the chord before. Melodies are left out. Sections have no
    names there: they get letters, the same one where the chords are the same.

    Args:
        text: The sheet.
        name: The title where the sheet has none.

    Raises:
        ChartError: if it has no chords, or is too long.
    """
    sheet = _parse(text)
    notices: list[Notice] = []
    beats, quarters = _metre(sheet.words.get("meter", []), notices)
    header = Header(
        " ".join(sheet.words.get("title", [])) or name,
        " ".join(sheet.words.get("composer", [])),
        _key(sheet.words.get("key", ["0"])),
        next(iter(sheet.words.get("style", [])), ""),
        _number(sheet.words.get("tempo", [])) / float(quarters),
    )
    names = _section_names(sheet)
    bars = [
        WrittenBar(i + 1, _changes(entries, beats, i + 1, notices), beats, section=names.get(i))
        for i, entries in enumerate(sheet.bars)
    ]
    return assemble(header, bars, notices)


def _parse(text: str) -> _Sheet:
    """Return the words of the header, and the entries of each bar of the chord part."""
    sheet = _Sheet()
    depth = 0
    head = ""
    words: list[str] = []
    in_chords = True
    inside: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == "(":
            depth += 1
            if depth == 1:
                head, words = "", []
            elif head == "part" or depth > 1:
                words.append(token)
        elif token == ")":
            depth = max(depth - 1, 0)
            if depth > 0:
                words.append(token)
                continue
            in_chords = _close(sheet, head, words, in_chords, bool(inside))
        elif depth and not head:
            head = token
        elif depth:
            words.append(token)
        elif not in_chords:
            continue
        elif token == "|":
            sheet.bars.append(inside)
            inside = []
        elif _CHORD.match(token) or token == "/":
            inside.append(token[:_LONGEST_TOKEN])
    if inside:
        sheet.bars.append(inside)
    while sheet.bars and not sheet.bars[-1]:
        sheet.bars.pop()
    return sheet


def _close(sheet: _Sheet, head: str, words: list[str], in_chords: bool, within_bar: bool) -> bool:
    """Take in a bracket at its end; return whether what follows it is chords."""
    if head == "part":
        kind = [word for word in words if word not in "()"]
        return "melody" not in kind
    if head in ("section", "phrase"):
        if head == "section":
            sheet.starts.append(len(sheet.bars) + within_bar)
        return in_chords
    if head not in sheet.words:
        # A bracket within a title is a part of it; of a style, only the name counts.
        sheet.words[head] = words
    return in_chords


def _metre(words: list[str], notices: list[Notice]) -> tuple[int, Fraction]:
    """Return the beats of a bar, and the length of a beat in quarters."""
    numbers = [int(word) for word in words if word.isdecimal() and len(word) < 3]
    upper, lower = (*numbers, 0, 0)[:2]
    if lower == _EIGHTH and upper in _COMPOUND:
        beats = _COMPOUND[upper]
        notices.append(Notice("metre", 0, f"{upper}/8 is counted in {beats}, with triplets"))
        return beats, Fraction(3, 2)
    if lower in (1, 2) and upper:
        upper, lower = upper * _QUARTER // lower, _QUARTER
    if not 1 <= upper <= MOST_BEATS or lower not in (4, 8, 16):
        if words:
            notices.append(Notice("metre", 0, f"a metre of {' '.join(words)!r} is not known; 4 beats a bar"))
        return _QUARTER, Fraction(1)
    return upper, Fraction(_QUARTER, lower)


def _key(words: list[str]) -> str:
    """Return the major key of a number of sharps, or of flats below zero."""
    try:
        sharps = int(words[0])
    except (IndexError, ValueError):
        return ""
    return _KEYS[sharps + _MOST_SHARPS] if -_MOST_SHARPS <= sharps <= _MOST_SHARPS else ""


def _number(words: list[str]) -> float:
    try:
        return float(words[0])
    except (IndexError, ValueError):
        return 0.0


def _changes(entries: list[str], beats: int, number: int, notices: list[Notice]) -> tuple[ChordChange, ...]:
    """Return the chords of a bar on their beats."""
    changes: list[ChordChange] = []
    for slot, symbol in enumerate(entries):
        if symbol == "/":
            continue
        read = read_symbol(symbol)
        if read is None:
            text = f"{one_line(symbol)!r} is not understood; the chord before is held"
            notices.append(Notice("unreadable", number, text))
            continue
        if not read.exact:
            nearest = "no chord" if read.chord is None else read.chord.symbol
            notices.append(Notice("nearest", number, f"{one_line(symbol)} became {nearest}"))
        changes.append(ChordChange(Fraction(slot * beats, len(entries)), read.chord, read.tail))
    return tuple(changes)


def _section_names(sheet: _Sheet) -> dict[int, str]:
    """Return a letter for each section by its first bar; none where there is only one section."""
    starts = sorted({start for start in sheet.starts if start < len(sheet.bars)} | {0})
    if len(starts) == 1 or not sheet.bars:
        return {}
    letters: dict[tuple[tuple[str, ...], ...], str] = {}
    names: dict[int, str] = {}
    for start, end in zip(starts, [*starts[1:], len(sheet.bars)], strict=True):
        content = tuple(tuple(bar) for bar in sheet.bars[start:end])
        names[start] = letters.setdefault(content, _letter(len(letters)))
    return names


def _letter(number: int) -> str:
    """Return A to Z, and then A1 and so on."""
    again, letter = divmod(number, 26)
    return chr(ord("A") + letter) + (str(again) if again else "")
