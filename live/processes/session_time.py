"""The beats of a recorded session: which clock, metre and chart held when, and the tempo map made of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf
from typing import Final

from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.route import Route
from tatumflow.engine.midi.tempo_map import MidiText, TempoMap, tempos_through
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.time_in_force import TimeInForce

_SAME_BEAT: Final = 0.01
_SAME_TEMPO: Final = 0.002
"""Beats, and share of the tempo, by which a clock that is followed may move within a span."""

_JUMP: Final = 0.25
"""Beats by which a clock jumps, rather than being corrected."""

_TEMPOS: Final = (20.0, 600.0)
"""Slowest and fastest tempo of the bars between two beats that do not follow each other."""

_COMMON_TIME: Final = 4
_ROUNDING: Final = 1e-6
_MOST_BARS: Final = 20_000


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """What holds from `start` seconds on."""

    start: float
    time: TimeInForce


class SessionTime:
    """Keeps what beats and chart were in force; a span begins where that changes."""

    def __init__(self) -> None:
        """Begin without a beat."""
        self._spans: list[TimeSpan] = []

    def add(self, now: float, time: TimeInForce) -> None:
        """Take what holds at `now` seconds, ascending."""
        if not self._spans or not _goes_on(self._spans[-1].time, time, now):
            self._spans.append(TimeSpan(now, time))

    @property
    def spans(self) -> tuple[TimeSpan, ...]:
        """The spans so far."""
        return tuple(self._spans)


def _goes_on(before: TimeInForce, after: TimeInForce, now: float) -> bool:
    if before == after:
        return True
    old, new = before.clock, after.clock
    if (before.beats_per_bar, before.chart, before.route) != (after.beats_per_bar, after.chart, after.route):
        return False
    if old is None or new is None:
        return old is new
    steady = abs(new.tempo - old.tempo) <= _SAME_TEMPO * old.tempo
    return steady and abs(new.beat(now) - old.beat(now)) <= _SAME_BEAT


def session_map(spans: Sequence[TimeSpan], start: float, end: float) -> TempoMap | None:
    """Return the beats of a session as a file states them: bar lines of the file are those that were played.

    Between two beats that do not follow each other, such as before the first, lie whole bars at a tempo that
    makes them fit.

    Args:
        spans: In order.
        start: Seconds of the file's beginning on the clock of the spans.
        end: Seconds after which no chords are written.

    Returns:
        The map, None where no span has a beat.
    """
    writer = _MapWriter(start)
    for i, span in enumerate(spans):
        until = min(spans[i + 1].start if i + 1 < len(spans) else end, end)
        writer.add(span.time, max(span.start, start), until)
    return writer.map()


class _MapWriter:
    """Puts spans behind each other; `beat` is that of the file, `place` that of a clock."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._anchors: list[tuple[float, float]] = [(0.0, 0.0)]
        self._metres: list[tuple[float, int]] = []
        self._keys: list[tuple[float, str]] = []
        self._texts: list[MidiText] = []
        self._clock: BeatClock | None = None
        self._offset = 0.0
        self._chart: Chart | None = None
        self._written = -inf
        self._title = ""

    def add(self, time: TimeInForce, start: float, end: float) -> None:
        """Put a span from `start` to `end` seconds behind the others."""
        clock = time.clock
        if clock is None or end <= start:
            self._clock = clock if clock is None else self._clock
            return
        before = self._clock
        per_bar = self._metres[-1][1] if self._metres else 0
        follows = before is not None and per_bar == time.beats_per_bar
        if not follows or before is None or abs(before.beat(start) - clock.beat(start)) > _JUMP:
            place = self._begin(time, clock, start, end)
            if place is None:
                self._clock = None
                return
        else:
            place = clock.beat(start)
        self._clock = clock
        self._anchor(end, clock.beat(end) + self._offset)
        if time.chart is not None:
            self._write_route(time.chart, time.route, max(place, 0.0), clock.beat(end))
        self._chart = time.chart

    def map(self) -> TempoMap | None:
        """Return the map, None without a beat."""
        if not self._metres:
            return None
        return TempoMap(
            tempos_through(self._anchors),
            tuple(self._metres),
            tuple(self._keys),
            tuple(sorted(self._texts, key=lambda text: text.beat)),
            self._title,
        )

    def _begin(self, time: TimeInForce, clock: BeatClock, start: float, end: float) -> float | None:
        """Put the first bar line of a beat on one of the file's; return its place, None where none comes."""
        per_bar = time.beats_per_bar
        bar = ceil(clock.beat(start) / per_bar - _ROUNDING)
        while (at := clock.time(bar * per_bar)) <= end:
            beat = self._bar_line(at - self._start, clock.tempo)
            if beat is not None:
                self._anchor(at, beat)
                self._offset = beat - bar * per_bar
                if not self._metres or self._metres[-1][1] != per_bar:
                    self._metres.append((beat, per_bar))
                self._chart, self._written = None, -inf
                return bar * per_bar
            bar += 1
        return None

    def _bar_line(self, seconds: float, tempo: float) -> float | None:
        """Return the beat of the file's bar line to be at `seconds`; None where none can be."""
        last, beat = self._anchors[-1]
        first, per_bar = self._metres[-1] if self._metres else (0.0, _COMMON_TIME)
        if seconds - last < _ROUNDING:
            on_line = abs((beat - first) / per_bar - round((beat - first) / per_bar)) < _ROUNDING
            return beat if on_line else None
        expected = beat + (seconds - last) * tempo / 60
        nearest = round((expected - first) / per_bar)
        for bars in (nearest, nearest + 1):
            line = first + bars * per_bar
            if _TEMPOS[0] <= 60 * (line - beat) / (seconds - last) <= _TEMPOS[1]:
                return line
        return None

    def _anchor(self, time: float, beat: float) -> None:
        """Put a beat on a time in seconds, where that leaves a tempo that can be."""
        seconds = time - self._start
        last, before = self._anchors[-1]
        span = seconds - last
        if span > 0 and _TEMPOS[0] <= 60 * (beat - before) / span <= _TEMPOS[1]:
            self._anchors.append((seconds, beat))

    def _write_route(self, chart: Chart, route: Route, first: float, end: float) -> None:
        """Write key, sections and chords of what was played from beat `first` to `end` of the clock."""
        per_bar, offset = chart.beats_per_bar, self._offset
        for stretch in route.stretches(floor(first / per_bar + _ROUNDING)):
            start, until = max(first, stretch.start * per_bar), min(end, stretch.end * per_bar)
            if start >= until:
                break
            ahead = stretch.ahead * per_bar
            # Places of the chart are put where they were played.
            self._offset = offset - ahead
            self._write_chart(chart, start + ahead, until + ahead)
            self._offset = offset

    def _write_chart(self, chart: Chart, first: float, end: float) -> None:
        """Write key, sections and chords from place `first` to `end`, none twice."""
        if chart != self._chart:
            self._title = self._title or chart.name
            if chart.key:
                self._keys.append((max(_bar_start(chart, first) + self._offset, 0.0), chart.key))
            self._written = first + self._offset - _ROUNDING
            begun = [change for place, _, change in _chart_texts(chart, _bar_start(chart, first), first)]
            if begun and not any(_chart_texts(chart, first, first + 2 * _ROUNDING)):
                self._texts.append(MidiText(first + self._offset, "text", begun[-1].symbol))
        for place, section, change in _chart_texts(chart, first, end):
            beat = float(place) + self._offset
            if beat <= self._written or beat < 0:
                continue
            if section:
                self._texts.append(MidiText(beat, "marker", section))
            self._texts.append(MidiText(beat, "text", change.symbol))
        self._written = max(self._written, end + self._offset - 2 * _ROUNDING)


def _bar_start(chart: Chart, place: float) -> float:
    return floor(place / chart.beats_per_bar + _ROUNDING) * chart.beats_per_bar


def _chart_texts(chart: Chart, first: float, end: float) -> Iterator[tuple[Fraction, str, ChordChange]]:
    """Yield the chords from place `first` up to `end` of a looped chart, with sections that begin there."""
    per_bar = chart.beats_per_bar
    sections = {section.bar: section.name for section in chart.sections}
    bar = floor(first / per_bar + _ROUNDING)
    for number in range(bar, min(ceil(end / per_bar), bar + _MOST_BARS)):
        within = number % len(chart.bars)
        for i, change in enumerate(chart.bars[within]):
            place = number * per_bar + change.beat
            if first - _ROUNDING <= place < end - _ROUNDING:
                yield place, sections.get(within, "") if i == 0 else "", change
