"""Chord charts: the bars of a tune as they are played, as text, looped beyond their end."""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.changes import Bar, ChordChange, bar_text, parse_bar, transposed_bar
from tatumflow.engine.harmony.chords import ROOT_NAMES, Chord, parse_chord
from tatumflow.engine.harmony.form import MOST_BARS, Marks, unroll
from tatumflow.engine.harmony.named_forms import NAMED_CHARTS, NAMED_FORMS, form_key

__all__ = [
    "FILE_SUFFIXES",
    "LONGEST_CHART",
    "MOST_BEATS",
    "NAMED_CHARTS",
    "TEMPOS",
    "Bar",
    "Chart",
    "ChordChange",
    "Section",
    "chart_title",
    "find_chart",
    "is_named",
    "key_named",
    "named_chart",
    "names_file",
    "parse_chart",
]

MOST_BEATS: Final = 16
"""Most beats of a bar."""

TEMPOS: Final = (20.0, 400.0)
"""Slowest and fastest tempo of a chart, in beats a minute."""

_BARS_PER_LINE: Final = 4

FILE_SUFFIXES: Final = (".txt", ".yaml", ".yml")
"""Suffixes of chart files."""

LONGEST_CHART: Final = 1 << 16
"""Most characters of a chart's text."""


@dataclass(frozen=True)
class Section:
    """A part of a tune's form, such as the bridge, up to the next section.

    Attributes:
        name: Such as "A" or "Bridge".
        bar: Its first bar, from 0.
    """

    name: str
    bar: int


@dataclass(frozen=True)
class Chart:
    """The chords of a tune, bar by bar, looped.

    Attributes:
        bars: At least one; beats count from the start of each bar.
        beats_per_bar: 1 to 16.
        name: Its title; may be empty.
        sections: The parts of its form in order; none where they are unknown.
        composer: Who wrote it; empty where that is unknown.
        key: Such as "Bb" or "Cm"; empty where it is unknown.
        style: The feel as the chart names it, such as "Medium Swing"; empty where it names none.
        tempo: Beats a minute, within `TEMPOS`; None where the chart names none.
        pickup: The bar before the first chorus alone, with no chord up to where the pick-up begins; None for
            none. See `engine/harmony/pickup.py`.

    Raises:
        ChartError: if there are no bars, the chords of one are out of order or beyond its end, the sections
            are out of order or begin beyond the last bar, or key or tempo is none.
    """

    bars: tuple[Bar, ...]
    beats_per_bar: int = 4
    name: str = ""
    sections: tuple[Section, ...] = ()
    composer: str = ""
    key: str = ""
    style: str = ""
    tempo: float | None = None
    pickup: Bar | None = None

    def __post_init__(self) -> None:
        if not self.bars:
            raise ChartError("a chart needs a bar; write one such as Dm7 | G7 | Cmaj7")
        if not 1 <= self.beats_per_bar <= MOST_BEATS:
            raise ChartError(f"{self.beats_per_bar} beats a bar are not from 1 to {MOST_BEATS}")
        for number, bar in enumerate(self.bars, start=1):
            self._check_bar(bar, f"bar {number}")
        if self.pickup is not None:
            self._check_bar(self.pickup, "pick-up")
        starts = [section.bar for section in self.sections]
        if starts != sorted(set(starts)) or not all(0 <= bar < len(self.bars) for bar in starts):
            raise ChartError("its sections do not follow each other from bar to bar")
        if self.key and key_named(self.key) != self.key:
            raise ChartError(f"{self.key!r} is not the name of a key; write it as Bb or Cm")
        if self.tempo is not None and not TEMPOS[0] <= self.tempo <= TEMPOS[1]:
            raise ChartError(f"a tempo of {self.tempo:g} is not from {TEMPOS[0]:g} to {TEMPOS[1]:g}")

    def _check_bar(self, bar: Bar, name: str) -> None:
        beats = [change.beat for change in bar]
        if not beats or beats[0] != 0 or beats != sorted(set(beats)) or beats[-1] >= self.beats_per_bar:
            raise ChartError(f"{name}: its chords do not follow each other from its first beat on")

    @property
    def beats(self) -> int:
        """Beats of the whole chart."""
        return len(self.bars) * self.beats_per_bar

    def chord_at(self, beat: float) -> Chord | None:
        """Return the chord that holds at a beat since the chart's start, None for no chord.

        The chart is looped in both directions, so that the bar before the first has the chords of the last.
        """
        return self._changes[self._index(beat)].chord

    def next_change(self, beat: float) -> ChordChange | None:
        """Return the next chord that differs from the one at a beat, None if there is only one in the chart.

        Its beat counts from the chart's start as the one given does, so that it is always later.
        """
        index = self._index(beat)
        chord = self._changes[index].chord
        start = int(beat // self.beats) * self.beats
        for step in range(1, len(self._changes)):
            rounds, at = divmod(index + step, len(self._changes))
            change = self._changes[at]
            if change.chord != chord:
                return replace(change, beat=change.beat + start + rounds * self.beats)
        return None

    def transposed(self, semitones: int) -> "Chart":
        """Return the chart transposed by semitones, up or down."""
        return replace(
            self,
            bars=tuple(transposed_bar(bar, semitones) for bar in self.bars),
            key=_key_above(self.key, semitones),
            pickup=self.pickup and transposed_bar(self.pickup, semitones),
        )

    @property
    def text(self) -> str:
        """The chart as text for `parse_chart`, four bars a line, each section on a new one.

        Braces in its title, composer and style become parentheses, and so do brackets in a section's name.
        """
        tempo = "" if self.tempo is None else f"{self.tempo:g}"
        time = f"{self.beats_per_bar}/4" if self.beats_per_bar != _COMMON_TIME else ""
        pickup = "" if self.pickup is None else bar_text(self.pickup, self.beats_per_bar)
        values = (self.name, self.composer, self.key, self.style, tempo, time, pickup)
        named = zip(
            _DIRECTIVES, (" ".join(value.split()).translate(_BRACES) for value in values), strict=True
        )
        head = [f"{{{directive}: {value}}}" for directive, value in named if value]
        return "\n".join([*head, *self._lines()])

    def _lines(self) -> Iterator[str]:
        bars = [bar_text(bar, self.beats_per_bar) for bar in self.bars]
        starts = [section.bar for section in self.sections]
        names = [f"[{' '.join(section.name.split()).translate(_BRACKETS)}] " for section in self.sections]
        if not starts or starts[0] > 0:
            starts, names = [0, *starts], ["", *names]
        for start, end, name in zip(starts, [*starts[1:], len(bars)], names, strict=True):
            for i in range(start, end, _BARS_PER_LINE):
                label = name if i == start else ""
                yield f"{label}| {' | '.join(bars[i : min(i + _BARS_PER_LINE, end)])} |"

    @cached_property
    def _changes(self) -> list[ChordChange]:
        """Every chord, its beat counted from the chart's start."""
        return [
            replace(change, beat=change.beat + number * self.beats_per_bar)
            for number, bar in enumerate(self.bars)
            for change in bar
        ]

    @cached_property
    def _starts(self) -> list[float]:
        return [float(change.beat) for change in self._changes]

    def _index(self, beat: float) -> int:
        return bisect.bisect_right(self._starts, beat % self.beats) - 1


def parse_chart(text: str, beats_per_bar: int = 4, name: str = "") -> Chart:
    """Read a chart such as `Dm7 | G7 | Cmaj7 A7` or `[A] |: F7 | % | 1. Cm7 F7 :| 2. Cm7 B7 |`.

    Bars end at a bar line or the line's end. The entries of a bar share its beats evenly; a point holds the
    chord before it, so that `Dm7 . . G7` changes on the fourth of four beats. `%` repeats the bar before,
    `N.C.` is no chord. `|: … :|` is played twice, or with `x3` after it three times; without `|:` it repeats
    from the start. `1.` before a bar begins the ending of the first time, `1,2.` that of the first and
    second; an ending ends at `:|`, `||`, the next ending or repeat. `[A]` or `[Bridge]` begins a section.
    From a `#` that begins a line or follows a space, the rest of the line is a comment. A line may begin with
    ChordPro's `{title: Waltz}`, `{composer: …}`, `{key: Bb}`, `{style: Bossa}`, `{tempo: 132}` in beats a
    minute, `{time: 3/4}`, the beats of a bar, and `{pickup: N.C. N.C. N.C. G7}`, a bar before the first.

    Args:
        text: The chart, at most `LONGEST_CHART` characters.
        beats_per_bar: 1 to 16, where the text has no `{time: …}`.
        name: The title, where the text has no `{title: …}`.

    Raises:
        ChartError: if it cannot be parsed; the message has the number and the text of the bar.
    """
    if len(text) > LONGEST_CHART:
        raise ChartError(f"the chart has over {LONGEST_CHART} characters; write repeats as |: … :|")
    header: dict[str, str] = {}
    lines: list[str] = []
    for line in text.splitlines():
        rest = line.strip()
        while directive := _DIRECTIVE.match(rest):
            rest = rest[directive.end() :]
            header[_directive(directive[1], directive[2])] = directive[2].strip()
        lines.append(_COMMENT.sub("", rest))
    beats = _beats(header["time"]) if "time" in header else beats_per_bar
    written = _read_bars(lines, beats)
    if not written.bars:
        raise ChartError(f"no bar in {text.strip()!r}; write one such as Dm7 | G7 | Cmaj7")
    order = unroll(written.marks)
    return Chart(
        tuple(written.bars[i] for i in order),
        beats,
        header.get("title") or name,
        tuple(Section(written.sections[i], bar) for bar, i in enumerate(order) if i in written.sections),
        header.get("composer", ""),
        key_named(header.get("key", "")),
        header.get("style", ""),
        _tempo(header["tempo"]) if header.get("tempo") else None,
        parse_bar(header["pickup"].split(), None, beats, "pick-up") if header.get("pickup") else None,
    )


def key_named(name: str) -> str:
    """Return a key as charts name it, such as "Bb" or "Cm", of "Bb major", "C-", "c minor" or "Cm".

    Raises:
        ChartError: if it is not the name of a key.
    """
    if not name.strip():
        return ""
    match = _KEY.fullmatch(name.strip())
    if match is None:
        raise ChartError(f"{name.strip()!r} is not the name of a key; write it as Bb or Cm")
    tonic = (match[1].upper() + match[2].lower()).translate(_ACCIDENTALS)
    mode = match[3] or ""
    return tonic + ("m" if mode in ("m", "-") or mode.lower().startswith("min") else "")


def named_chart(name: str) -> Chart:
    """Return a built-in chart in any key: "blues in F", "minor blues", "rhythm changes", "ii-V-I in G".

    Raises:
        ChartError: if there is none of that name.
    """
    match = _NAME.fullmatch(" ".join(name.split()))
    form = match and NAMED_FORMS.get(form_key(match[1]))
    if not match or not form:
        raise ChartError(f"no chart is named {name!r}; there are {', '.join(NAMED_CHARTS)}, each 'in' a key")
    tonic = form.key.removesuffix("m")
    requested = tonic if match[2] is None else match[2][0].upper() + match[2][1:]
    chart = parse_chart(form.text).transposed(_tonic(requested) - _tonic(tonic))
    key = requested.translate(_ACCIDENTALS) + form.key[len(tonic) :]
    return replace(chart, name=f"{form.title} in {requested}", key=key)


def find_chart(source: str) -> Chart:
    """Return a built-in chart by name, or the chart of a text; no file is read.

    Raises:
        ChartError: if it is neither, or the name of a file.
    """
    if names_file(source):
        raise ChartError(
            f"{source.strip()} is the name of a file, which is not read here; give the chart itself, or the "
            "file on the command line, in the settings or on the screen"
        )
    return named_chart(source) if is_named(source) else parse_chart(source)


def is_named(source: str) -> bool:
    """Return whether a chart's source is the name of a built-in chart."""
    match = _NAME.fullmatch(" ".join(source.split()))
    return match is not None and form_key(match[1]) in NAMED_FORMS


def names_file(source: str) -> bool:
    """Return whether a chart's source names a file: it ends in .txt, .yaml or .yml and has no bar lines."""
    text = source.strip().lower()
    return text.endswith(FILE_SUFFIXES) and "|" not in text and "\n" not in text


def chart_title(source: str) -> str:
    """Return a chart's title in one line: the one in its text, else its name or text."""
    title = _DIRECTIVE.match(source.strip())
    while title is not None and title[1].lower() != "title":
        title = _DIRECTIVE.match(source.strip(), title.end())
    return title[2].strip() if title is not None and title[2].strip() else " ".join(source.split())


_BRACES: Final = str.maketrans("{}", "()")
_BRACKETS: Final = str.maketrans("[]{}|#", "()()/ ")
_COMMON_TIME: Final = 4
_DIRECTIVES: Final = ("title", "composer", "key", "style", "tempo", "time", "pickup")
_DIRECTIVE: Final = re.compile(r"\s*\{\s*([^{}:\n]*?)\s*:([^{}\n]*)\}\s*")
_TIME: Final = re.compile(r"\s*(\d{1,2})\s*/\s*\d{1,2}\s*")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")
_BAR_LINE: Final = re.compile(r":?\|+:?|:\|+\s*[x×]\s*\d+")
_TOKEN: Final = re.compile(r":\|+\s*[x×]\s*\d+|:\|+:?|\|+:?|\[[^\[\]|\n]*\]|[^\s|:]+|:")
_SECTION: Final = re.compile(r"\[([^\[\]]*)\]")
_ENDING: Final = re.compile(r"\d{1,2}(?:,\d{1,2})*\.")
_NAME: Final = re.compile(r"(.+?)(?: in ([A-Ga-g][b#♭♯]?)m?)?")
_KEY: Final = re.compile(r"([A-Ga-g])([b#♭♯]?)\s*(maj(?:or)?|min(?:or)?|m|M|-)?", re.IGNORECASE)
_ACCIDENTALS: Final = str.maketrans("♭♯", "b#")


class _Written:
    """The bars of a text as they are written."""

    def __init__(self) -> None:
        self.bars: list[Bar] = []
        self.marks: list[Marks] = []
        self.sections: dict[int, str] = {}


def _read_bars(lines: list[str], beats: int) -> _Written:
    """Read the bars, with the marks of their form.

    Raises:
        ChartError: if one cannot be parsed, or the repeats do not fit into each other.
    """
    written = _Written()
    bars, marks = written.bars, written.marks
    content: list[str] = []
    opening = Marks()
    within_repeat = False
    repeated = 0
    for token in _TOKEN.findall(" | ".join(lines) + " |"):
        number = len(bars) + 1
        if section := _SECTION.fullmatch(token):
            _before_bar(token, content, number)
            written.sections[len(bars)] = section[1].strip()
        elif _ENDING.fullmatch(token):
            _before_bar(token, content, number)
            opening = replace(opening, endings=frozenset(map(int, token[:-1].split(","))))
        elif _BAR_LINE.fullmatch(token):
            if content:
                bars.append(parse_bar(content, bars[-1] if bars else None, beats, f"bar {number}"))
                marks.append(opening)
                opening, content, number = Marks(), [], number + 1
            if token.startswith(":"):
                count = _count(token, number - 1, len(bars) == repeated)
                marks[-1] = replace(marks[-1], repeat_to=count)
                within_repeat, repeated = False, len(bars)
            elif token.startswith("||") and marks:
                marks[-1] = replace(marks[-1], closes=True)
            if token.endswith(":"):
                if within_repeat:
                    raise ChartError(f"bar {number}: |: stands within another repeat; close that with :|")
                opening, within_repeat = replace(opening, repeat_from=True), True
                repeated = len(bars)
            if len(bars) > MOST_BARS:
                raise ChartError(f"bar {number - 1}: the chart has over {MOST_BARS} bars")
        else:
            content.append(token)
    if within_repeat:
        raise ChartError(f"bar {len(bars)}: the chart ends within a repeat; close |: with :|")
    if len(bars) in written.sections or opening.endings:
        raise ChartError(f"bar {len(bars)}: a section or an ending follows, and no bar of it; write one")
    return written


def _before_bar(token: str, content: list[str], number: int) -> None:
    if content:
        raise ChartError(f"bar {number}: {token} stands within the bar; write it before the first chord")


def _directive(name: str, value: str) -> str:
    """Return the directive of a name."""
    if name.lower() not in _DIRECTIVES:
        known = ", ".join(f"{{{directive}: …}}" for directive in _DIRECTIVES)
        raise ChartError(f"{{{name}:{value}}}: only {known} are known here")
    return name.lower()


def _beats(value: str) -> int:
    """Return the beats of a bar in `{time: 3/4}`."""
    time = _TIME.fullmatch(value)
    if time is None or not 1 <= int(time[1]) <= MOST_BEATS:
        raise ChartError(f"{{time: {value}}}: write it as 3/4, with 1 to {MOST_BEATS} beats")
    return int(time[1])


def _tempo(value: str) -> float:
    """Return the beats a minute of `{tempo: 132}`."""
    try:
        tempo = float(value)
    except ValueError:
        tempo = 0.0
    if not TEMPOS[0] <= tempo <= TEMPOS[1]:
        raise ChartError(f"{{tempo: {value}}}: write beats a minute, {TEMPOS[0]:g} to {TEMPOS[1]:g}")
    return tempo


def _count(token: str, bar: int, empty: bool) -> int:
    """Return how often a repeat is played."""
    if empty:
        raise ChartError(f"bar {bar}: {token!r} repeats nothing; put bars before it")
    digits = re.search(r"\d+", token)
    count = int(digits[0]) if digits else 2
    if not 1 <= count <= MOST_BARS:
        raise ChartError(f"bar {bar}: {token!r} is not played from 1 to {MOST_BARS} times")
    return count


def _tonic(key: str) -> int:
    tonic = parse_chord(key)
    return 0 if tonic is None else tonic.root


def _key_above(key: str, semitones: int) -> str:
    """Return a key transposed by semitones; empty stays empty."""
    if not key or semitones % 12 == 0:
        return key
    return ROOT_NAMES[(_tonic(key) + semitones) % 12] + ("m" if key.endswith("m") else "")
