"""Chord charts: bars of chords as text, looped beyond their end."""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Final

from tatumflow.engine.errors import ChartError, ChordError
from tatumflow.engine.harmony.chords import Chord, parse_chord

_MOST_BARS: Final = 4096
_MOST_BEATS: Final = 16
_BARS_PER_LINE: Final = 4
_NO_CHORD: Final = "N.C."

FILE_SUFFIXES: Final = (".txt", ".yaml", ".yml")
"""Suffixes of chart files."""

LONGEST_CHART: Final = 1 << 16
"""Most characters of a chart's text."""


@dataclass(frozen=True)
class ChordChange:
    """A chord, None for no chord, and the beat on which it begins.

    Attributes:
        beat: Beats since the start of its bar in a `Bar`, since the chart's start in `Chart.next_change`.
        chord: The chord.
    """

    beat: Fraction
    chord: Chord | None


Bar = tuple[ChordChange, ...]
"""The chords of a bar in order; the first starts on beat 0."""


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

    Raises:
        ChartError: if there are no bars, the chords of one are out of order or beyond its end, or so are the
            sections.
    """

    bars: tuple[Bar, ...]
    beats_per_bar: int = 4
    name: str = ""
    sections: tuple[Section, ...] = ()

    def __post_init__(self) -> None:
        if not self.bars:
            raise ChartError("a chart needs a bar; write one such as Dm7 | G7 | Cmaj7")
        if not 1 <= self.beats_per_bar <= _MOST_BEATS:
            raise ChartError(f"{self.beats_per_bar} beats a bar are not from 1 to {_MOST_BEATS}")
        for number, bar in enumerate(self.bars, start=1):
            beats = [change.beat for change in bar]
            if not beats or beats[0] != 0 or beats != sorted(set(beats)) or beats[-1] >= self.beats_per_bar:
                raise ChartError(f"bar {number}: its chords do not follow each other from its first beat on")
        starts = [section.bar for section in self.sections]
        if starts != sorted(set(starts)) or not all(0 <= bar < len(self.bars) for bar in starts):
            raise ChartError("its sections do not follow each other from bar to bar")

    @property
    def beats(self) -> int:
        """Beats of the whole chart."""
        return len(self.bars) * self.beats_per_bar

    def chord_at(self, beat: float) -> Chord | None:
        """Return the chord that holds at a beat since the chart's start, None for no chord.

        The chart is looped in both directions, so that a pickup has the chord of the last bar.
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
        bars = tuple(
            tuple(
                replace(change, chord=change.chord and change.chord.transposed(semitones)) for change in bar
            )
            for bar in self.bars
        )
        return replace(self, bars=bars)

    @property
    def text(self) -> str:
        """The chart as text for `parse_chart`, four bars a line.

        Braces in its name become parentheses.
        """
        title = " ".join(self.name.split()).translate(_BRACES)
        head = [f"{{title: {title}}}"] if title else []
        head += [f"{{time: {self.beats_per_bar}/4}}"] if self.beats_per_bar != _COMMON_TIME else []
        bars = [_bar_text(bar, self.beats_per_bar) for bar in self.bars]
        lines = [bars[i : i + _BARS_PER_LINE] for i in range(0, len(bars), _BARS_PER_LINE)]
        return "\n".join([*head, *(f"| {' | '.join(line)} |" for line in lines)])

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
    """Read a chart such as `Dm7 | G7 | Cmaj7 A7` or `|: F7 | % | Cm7 F7 :| x3`.

    Bars end at a bar line or the line's end. The entries of a bar share its beats evenly; a point holds the
    chord before it, so that `Dm7 . . G7` changes on the fourth of four beats. `%` repeats the bar before,
    `N.C.` is no chord. `|: … :|` is played twice, or with `x3` after it three times; without `|:` it repeats
    from the start. From a `#` that begins a line or follows a space, the rest of the line is a comment. A
    line may begin with ChordPro's `{title: Waltz}` and `{time: 3/4}`, the title and the beats of a bar.

    Args:
        text: The chart, at most `LONGEST_CHART` characters.
        beats_per_bar: 1 to 16, where the text has no `{time: …}`.
        name: The title, where the text has no `{title: …}`.

    Raises:
        ChartError: if it cannot be parsed; the message has the number and the text of the bar.
    """
    if len(text) > LONGEST_CHART:
        raise ChartError(f"the chart has over {LONGEST_CHART} characters; write repeats as |: … :|")
    lines: list[str] = []
    for line in text.splitlines():
        rest = line.strip()
        while directive := _DIRECTIVE.match(rest):
            rest = rest[directive.end() :]
            if directive[1].lower() == "title":
                name = directive[2].strip() or name
            else:
                beats_per_bar = _beats(directive[1], directive[2])
        lines.append(_COMMENT.sub("", rest))
    bars: list[Bar] = []
    written = 1
    repeat_from: int | None = None
    last_repeat_end = 0
    content: list[str] = []
    for token in _TOKEN.findall(" | ".join(lines) + " |"):
        if _BAR_LINE.fullmatch(token):
            if content:
                bars.append(_parse_bar(content, bars, beats_per_bar, written))
                written += 1
                content = []
            if token.startswith(":"):
                first = last_repeat_end if repeat_from is None else repeat_from
                bars += bars[first:] * (_count(token, written - 1, len(bars) == first) - 1)
                repeat_from, last_repeat_end = None, len(bars)
            if token.endswith(":"):
                if repeat_from is not None:
                    raise ChartError(f"bar {written}: |: stands within another repeat; close that with :|")
                repeat_from = len(bars)
            if len(bars) > _MOST_BARS:
                raise ChartError(f"bar {written - 1}: with its repeats the chart has over {_MOST_BARS} bars")
        else:
            content.append(token)
    if repeat_from is not None:
        raise ChartError(f"bar {written - 1}: the chart ends within a repeat; close |: with :|")
    if not bars:
        raise ChartError(f"no bar in {text.strip()!r}; write one such as Dm7 | G7 | Cmaj7")
    return Chart(tuple(bars), beats_per_bar, name)


def named_chart(name: str) -> Chart:
    """Return a built-in chart in any key: "blues in F", "minor blues", "rhythm changes", "ii-V-I in G".

    Raises:
        ChartError: if there is none of that name.
    """
    match = _NAME.fullmatch(" ".join(name.split()))
    known = match and _NAMED.get(match[1].lower().replace("-", " "))
    if not match or not known:
        raise ChartError(f"no chart is named {name!r}; there are {', '.join(NAMED_CHARTS)}, each 'in' a key")
    title, key, text = known
    requested = key if match[2] is None else match[2][0].upper() + match[2][1:]
    chart = parse_chart(text).transposed(_tonic(requested) - _tonic(key))
    return replace(chart, name=f"{title} in {requested}")


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
    match = _NAME.fullmatch(" ".join(source.split()))
    if match and match[1].lower().replace("-", " ") in _NAMED:
        return named_chart(source)
    return parse_chart(source)


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
_COMMON_TIME: Final = 4
_DIRECTIVE: Final = re.compile(r"\s*\{\s*([^{}:\n]*?)\s*:([^{}\n]*)\}\s*")
_TIME: Final = re.compile(r"\s*(\d{1,2})\s*/\s*\d{1,2}\s*")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")
_BAR_LINE: Final = re.compile(r":?\|+:?|:\|+\s*[x×]\s*\d+")
_TOKEN: Final = re.compile(r":\|+\s*[x×]\s*\d+|:\|+:?|\|+:?|[^\s|:]+|:")
_NAME: Final = re.compile(r"(.+?)(?: in ([A-Ga-g][b#♭♯]?))?")


def _beats(directive: str, value: str) -> int:
    """Return the beats of a bar in `{time: 3/4}`."""
    if directive.lower() != "time":
        raise ChartError(f"{{{directive}:{value}}}: only {{title: …}} and {{time: 3/4}} are known here")
    time = _TIME.fullmatch(value)
    if time is None or not 1 <= int(time[1]) <= _MOST_BEATS:
        raise ChartError(f"{{time:{value}}}: write it as 3/4, with 1 to {_MOST_BEATS} beats")
    return int(time[1])


def _count(token: str, bar: int, empty: bool) -> int:
    """Return how often a repeat is played."""
    if empty:
        raise ChartError(f"bar {bar}: {token!r} repeats nothing; put bars before it")
    digits = re.search(r"\d+", token)
    count = int(digits[0]) if digits else 2
    if not 1 <= count <= _MOST_BARS:
        raise ChartError(f"bar {bar}: {token!r} is not played from 1 to {_MOST_BARS} times")
    return count


def _parse_bar(content: Sequence[str], before: Sequence[Bar], beats: int, number: int) -> Bar:
    text = " ".join(content)
    if "%" in content:
        if len(content) > 1:
            raise ChartError(f"bar {number}: {text!r}: % stands for the whole bar; write it alone")
        if not before:
            raise ChartError(f"bar {number}: % repeats the bar before, and there is none")
        return before[-1]
    share = Fraction(beats, len(content))
    bar: list[ChordChange] = []
    for slot, symbol in enumerate(content):
        if symbol == ".":
            if not bar:
                if not before:
                    raise ChartError(f"bar {number}: {text!r}: . holds the chord before, and there is none")
                bar.append(ChordChange(Fraction(0), before[-1][-1].chord))
            continue
        try:
            bar.append(ChordChange(slot * share, parse_chord(symbol)))
        except ChordError as error:
            raise ChartError(f"bar {number}: {error}") from error
    return tuple(bar)


def _bar_text(bar: Bar, beats: int) -> str:
    """Return the text of a bar with the fewest slots that put every chord on its beat."""
    slots = 1
    while any((change.beat * slots / beats).denominator > 1 for change in bar):
        slots += 1
    symbols = ["."] * slots
    for change in bar:
        symbols[int(change.beat * slots / beats)] = _NO_CHORD if change.chord is None else change.chord.symbol
    return " ".join(symbols)


def _tonic(key: str) -> int:
    tonic = parse_chord(key)
    return 0 if tonic is None else tonic.root


_BLUES: Final = """
F7  | Bb7   | F7    | Cm7 F7
Bb7 | Bdim7 | F7    | Am7b5 D7
Gm7 | C7    | F7 D7 | Gm7 C7
"""

_MINOR_BLUES: Final = """
Cm6 | Fm7 | Cm6 | C7
Fm7 | %   | Cm6 | %
Ab7 | G7  | Cm6 | Dm7b5 G7
"""

_RHYTHM_CHANGES: Final = """
Bbmaj7 G7 | Cm7 F7     | Dm7 G7 | Cm7 F7
Fm7 Bb7   | Ebmaj7 Ab7 | Dm7 G7 | Cm7 F7
Bbmaj7 G7 | Cm7 F7     | Dm7 G7 | Cm7 F7
Fm7 Bb7   | Ebmaj7 Ab7 | Cm7 F7 | Bbmaj7
D7        | %          | G7     | %
C7        | %          | F7     | %
Bbmaj7 G7 | Cm7 F7     | Dm7 G7 | Cm7 F7
Fm7 Bb7   | Ebmaj7 Ab7 | Cm7 F7 | Bbmaj7
"""

_TWO_FIVE_ONE: Final = """
Dm7  | G7  | Cmaj7  | %   # and on through all twelve keys, each a fourth higher
Gm7  | C7  | Fmaj7  | %
Cm7  | F7  | Bbmaj7 | %
Fm7  | Bb7 | Ebmaj7 | %
Bbm7 | Eb7 | Abmaj7 | %
Ebm7 | Ab7 | Dbmaj7 | %
Abm7 | Db7 | Gbmaj7 | %
C#m7 | F#7 | Bmaj7  | %
F#m7 | B7  | Emaj7  | %
Bm7  | E7  | Amaj7  | %
Em7  | A7  | Dmaj7  | %
Am7  | D7  | Gmaj7  | %
"""

_NAMED: Final = {
    "blues": ("Blues", "F", _BLUES),
    "minor blues": ("Minor blues", "C", _MINOR_BLUES),
    "rhythm changes": ("Rhythm changes", "Bb", _RHYTHM_CHANGES),
    "ii v i": ("ii-V-I", "C", _TWO_FIVE_ONE),
}

NAMED_CHARTS: Final = tuple(title.lower() if title != "ii-V-I" else title for title, _, _ in _NAMED.values())
"""The names of the built-in charts."""
