"""The form that the band plays: its bars with their chords, and what happens in each."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from tatumflow.engine.harmony.chart import Bar, Chart, ChordChange
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.harmony.pickup import leading_bar
from tatumflow.engine.harmony.route import STRAIGHT, Route

Kind = Literal["count-in", "time", "stop", "end"]
"""What the band does in a bar: count in, with a pick-up if there is one, play time, strike once and rest, or
play the last chord."""

NOTHING, PHRASE, SECTION, CHORUS = range(4)
"""What a bar opens or closes, the greater including the lesser."""

_PHRASE: Final = 4
_SECTION: Final = 8
_DOMINANT: Final = 7


@dataclass(frozen=True, slots=True)
class BandBar:
    """A bar of the form.

    Attributes:
        start: Its first beat, counted from the beginning of the form.
        beats: 1 to 16.
        chords: The chords; beats count from the start of the bar, 0 the first.
        kind: What the band does.
        opens: Whether it is the first of a phrase, a section or a chorus.
        closes: Whether it is the last of one.
        number: Its number in the form, from 0; negative before it.
    """

    start: int
    beats: int
    chords: Bar
    kind: Kind = "time"
    opens: int = NOTHING
    closes: int = NOTHING
    number: int = 0

    def chord_at(self, place: float) -> Chord | None:
        """Return the chord at a place in beats from the start of the bar."""
        chord = self.chords[0].chord
        for change in self.chords[1:]:
            if change.beat > place:
                break
            chord = change.chord
        return chord

    @property
    def groups(self) -> tuple[int, ...]:
        """Return the lengths of the groups of beats that its rhythm is made of, each 1 to 4."""
        fours, rest = divmod(self.beats, 4)
        return _GROUPS.get(self.beats) or (4,) * fours + (rest,) * (rest > 0)


_GROUPS: Final = {5: (3, 2), 6: (3, 3), 7: (4, 3), 9: (3, 3, 3), 10: (3, 2, 3, 2), 12: (3, 3, 3, 3)}


@dataclass(frozen=True)
class Form:
    """A chart as the band plays it.

    Attributes:
        chart: Played again and again from bar 0 on; its pick-up in the last bar of count-in or intro.
        count_in: Bars that the drummer counts before.
        intro: Bars between the count-in and the form, 0 or more: the last ones of the chart.
        stop_bars: Bars at the beginning of each chorus in which the band strikes once and rests.
        last: Place of the bar in which the band ends on one chord; None goes on for ever.
        route: The place, that is the bar of the form, of each bar.
    """

    chart: Chart
    count_in: int = 0
    intro: int = 0
    stop_bars: int = 0
    last: int | None = None
    route: Route = STRAIGHT

    def bar(self, number: int) -> BandBar | None:
        """Return a bar by its number, negative before the form; None where the band does not play."""
        chart, beats = self.chart, self.chart.beats_per_bar
        start = number * beats
        place, following = self.route.place(number), self.route.place(number + 1)
        ends = number >= 0 and self.last is not None and place >= self.last
        if number < -self.intro - self.count_in or (ends and place != self.last):
            return None
        pickup = chart.pickup if number == place == -1 else None
        if number < -self.intro:
            closes = CHORUS if number == -self.intro - 1 else NOTHING
            return BandBar(start, beats, pickup or _NO_CHORD, "count-in", closes=closes, number=number)
        if ends:
            final = (ChordChange(Fraction(0), closing_chord(chart)),)
            return BandBar(start, beats, final, "end", CHORUS, CHORUS, number)
        at = place % len(chart.bars)
        kind: Kind = "stop" if number >= 0 and at < self.stop_bars else "time"
        closes = CHORUS if number + 1 == 0 else self._boundary(following)
        opens = CHORUS if number == -self.intro else self._boundary(at)
        chords = leading_bar(chart) if pickup else chart.bars[at]
        return BandBar(start, beats, chords, kind, opens, closes, number)

    def _boundary(self, at: int) -> int:
        """Return what begins with a bar of the chart."""
        bars = len(self.chart.bars)
        at %= bars
        if at == 0:
            return CHORUS
        starts = [section.bar for section in self.chart.sections]
        if starts:
            index = bisect_right(starts, at) - 1
            within = at - (starts[index] if index >= 0 else 0)
        else:
            within = at % _SECTION if bars % _SECTION == 0 else at
        if within == 0:
            return SECTION
        return PHRASE if within % _PHRASE == 0 else NOTHING


_NO_CHORD: Final[Bar] = (ChordChange(Fraction(0), None),)


def closing_chord(chart: Chart) -> Chord | None:
    """Return the chord that a tune ends on: its last one, or the first where the last leads back to it."""
    last, first = chart.bars[-1][-1].chord, chart.bars[0][0].chord
    if last is None or first is None:
        return last or first
    leads = last.quality in ("7", "7sus4", "dim7", "m7b5") and first.root != last.root
    if leads and (last.root - first.root) % 12 in (_DOMINANT, 1, 11, 2):
        return first
    return last
