"""Lead sheets in Impro-Visor's notation (Keller et al., Harvey Mudd College): chords by bars, then melodies.

A file is a row of properties in parentheses and of words outside them. Chord symbols begin with a capital;
bars end with `|`, and the symbols of a bar share it equally, a `/` repeating the one before. A melody note is
a letter from a to g, an accidental (`#` or `b`), octave marks and a duration; `c` is middle C, each `+` is an
octave up, each `-` one down; `r` is a rest. A duration is a sum of terms joined by `+`: `4` is a quarter,
each dot adds half of what is before it, and `n/k` is k - 1 kths of the value n, so that three of `8/3` fill
the time of two eighths.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tatumflow.engine.errors import ChordError, CorpusError
from tatumflow.engine.harmony.chords import Chord, parse_chord

_MIDDLE_C: Final = 60
_STEPS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "b": -1}
_TERM: Final = r"\d+(?:/\d+)?\.*"
_NOTE: Final = re.compile(rf"([a-g])([#b]?)(\++|-+)?({_TERM}(?:\+{_TERM})*)?")
_REST: Final = re.compile(rf"r({_TERM}(?:\+{_TERM})*)?")
_TERMS: Final = re.compile(r"(\d+)(?:/(\d+))?(\.*)")
_POLYCHORD: Final = re.compile(r"[A-G].*(?:\\[A-G].*|/[A-G][#b]?[^#b].*)")
"""A chord over another chord, such as `E\\FM7` or `Eb7/B6`; no single chord, so it counts as unknown."""

_WORDS: Final = re.compile(r"[()]|[^\s()]+")
_DEFAULT_DURATION: Final = "8"
_DEFAULT_METRE: Final = (4, 4)
_DEFAULT_TEMPO: Final = 160.0


@dataclass(frozen=True)
class SheetNote:
    """A note of a melody.

    Attributes:
        onset: Quarters since the part's start.
        duration: Quarters, above 0.
        pitch: MIDI pitch as written.
    """

    onset: Fraction
    duration: Fraction
    pitch: int


@dataclass(frozen=True)
class SheetMelody:
    """A melody part, usually one chorus.

    Attributes:
        title: Its title, such as "Chorus 1".
        composer: Who plays or wrote it; empty where the sheet does not say.
        notes: Its notes, one after the other.
        length: Quarters from its start to the end of its last note or rest.
    """

    title: str
    composer: str
    notes: tuple[SheetNote, ...]
    length: Fraction


@dataclass(frozen=True)
class Leadsheet:
    """A lead sheet.

    Attributes:
        title: The tune's title; empty where the sheet does not say.
        composer: The tune's composer; empty where the sheet does not say.
        metre: Beats of a bar, and the note value of a beat (4 for a quarter).
        tempo: Quarters per minute.
        transposition: Semitones from the written to the sounding pitch, of chords too.
        bars: Chords of each bar as written, each for an equal share of the bar; None for no chord, or for one
            chord over another.
        melodies: The melody parts, in order.
    """

    title: str
    composer: str
    metre: tuple[int, int]
    tempo: float
    transposition: int
    bars: tuple[tuple[Chord | None, ...], ...]
    melodies: tuple[SheetMelody, ...]

    @property
    def beat(self) -> Fraction:
        """Quarters of a beat."""
        return Fraction(4, self.metre[1])

    @property
    def bar(self) -> Fraction:
        """Quarters of a bar."""
        return self.metre[0] * self.beat


def parse_leadsheet(text: str) -> Leadsheet:
    """Parse the text of a lead sheet.

    Raises:
        CorpusError: if a parenthesis, property, chord or note cannot be understood; the message names it.
    """
    properties: dict[str, str] = {}
    bars = _Bars()
    melodies: list[_Melody] = []
    for item in _items(text):
        if isinstance(item, str):
            note = _NOTE.fullmatch(item) or _REST.fullmatch(item)
            if note is None:
                bars.add(item)
                continue
            if not melodies:
                melodies.append(_Melody({}))
            melodies[-1].add(note)
        elif item.name != "part":
            properties.setdefault(item.name, item.text)
        elif item.inner.get("type", "") == "melody":
            melodies.append(_Melody(item.inner))
    metre = _metre(properties.get("meter", ""))
    return Leadsheet(
        title=properties.get("title", ""),
        composer=properties.get("composer", ""),
        metre=metre,
        tempo=_number(properties, "tempo", _DEFAULT_TEMPO),
        transposition=round(_number(properties, "playback-transpose", 0.0)),
        bars=bars.closed(),
        melodies=tuple(melody.closed() for melody in melodies),
    )


@dataclass(frozen=True)
class _Property:
    """A property in parentheses: its name, its text, and the properties within it by name."""

    name: str
    text: str
    inner: dict[str, str]


def _items(text: str) -> Iterator[_Property | str]:
    """Yield the top-level properties and words in order."""
    depth, start = 0, 0
    for match in _WORDS.finditer(text):
        word = match[0]
        if word == "(":
            if not depth:
                start = match.end()
            depth += 1
        elif word == ")":
            depth -= 1
            if depth < 0:
                raise CorpusError("has a ) without its (")
            if not depth:
                yield _property(text[start : match.start()])
        elif not depth:
            yield word
    if depth:
        raise CorpusError("has a ( without its )")


def _property(text: str) -> _Property:
    name, *words = text.split() or [""]
    inner: dict[str, str] = {}
    if name == "part":
        inner = {item.name: item.text for item in _items(text) if isinstance(item, _Property)}
    return _Property(name, " ".join(words), inner)


class _Bars:
    """The chart, bar by bar, as its words come."""

    def __init__(self) -> None:
        self._bars: list[tuple[Chord | None, ...]] = []
        self._bar: list[Chord | None] = []
        self._last: Chord | None = None

    def add(self, word: str) -> None:
        if word == "|":
            self._close()
            return
        if word != "/":
            self._last = _chord(word)
        self._bar.append(self._last)

    def closed(self) -> tuple[tuple[Chord | None, ...], ...]:
        self._close()
        return tuple(self._bars)

    def _close(self) -> None:
        if self._bar:
            self._bars.append(tuple(self._bar))
        self._bar = []


def _chord(word: str) -> Chord | None:
    if _POLYCHORD.fullmatch(word):
        return None
    try:
        return parse_chord(word)
    except ChordError as error:
        raise CorpusError(str(error)) from error


class _Melody:
    """A melody part as its notes come; a word without a duration takes the last one written."""

    def __init__(self, properties: dict[str, str]) -> None:
        self._properties = properties
        self._notes: list[SheetNote] = []
        self._time = Fraction(0)
        self._duration = _DEFAULT_DURATION

    def add(self, word: re.Match[str]) -> None:
        *pitch, duration = word.groups()
        self._duration = duration or self._duration
        length = _quarters(self._duration)
        if pitch:
            step, accidental, octave = pitch
            written = _MIDDLE_C + _STEPS[step] + _ACCIDENTALS[accidental]
            written += 12 * len(octave or "") * (-1 if octave and octave[0] == "-" else 1)
            self._notes.append(SheetNote(self._time, length, written))
        self._time += length

    def closed(self) -> SheetMelody:
        own = self._properties
        return SheetMelody(own.get("title", ""), own.get("composer", ""), tuple(self._notes), self._time)


def _quarters(duration: str) -> Fraction:
    """Return the quarters of a duration such as "4", "8.", "8/3" or "2+8"."""
    total = Fraction(0)
    for value, tuplet, dots in _TERMS.findall(duration):
        if not int(value) or (tuplet and int(tuplet) < 2):
            raise CorpusError(f"duration {duration!r} is not a note value")
        length = Fraction(4, int(value))
        if tuplet:
            length *= Fraction(int(tuplet) - 1, int(tuplet))
        total += length * (2 - Fraction(1, 2 ** len(dots)))
    return total


def _metre(text: str) -> tuple[int, int]:
    if not text:
        return _DEFAULT_METRE
    numbers = text.split()
    if len(numbers) != 2 or not all(number.isdigit() and int(number) for number in numbers):
        raise CorpusError(f"metre {text!r} is not two whole numbers such as 4 4")
    return int(numbers[0]), int(numbers[1])


def _number(properties: dict[str, str], name: str, default: float) -> float:
    """Return a property's number; of several (one each for bass, chords and melody), the last."""
    try:
        return float((properties.get(name) or str(default)).split()[-1])
    except ValueError as error:
        raise CorpusError(f"{name} {properties[name]!r} is not a number") from error
