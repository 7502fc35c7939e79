"""The course of a tune: where its form is on the beat, where it goes on from another bar, where it ends."""

from bisect import bisect_right
from dataclasses import replace
from math import ceil, floor
from typing import Final

from tatumflow.engine.harmony.changes import Bar
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.harmony.pickup import change_from_start, chord_from_start
from tatumflow.engine.harmony.route import Route
from tatumflow.engine.messages import Position
from tatumflow.engine.midi.head_file import Head
from tatumflow.engine.tempo.beat_clock import Beats
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.tempo.tune import Tune

_ROUNDING: Final = 1e-6


class Course:
    """A tune on the bars of the beat, which never moves: a jump changes only which bar of the form is next.

    Places are bars of the form, counted on from chorus to chorus; see `Route`.

    Attributes:
        tune: The tune.
        head: Its melody; None for none.
        choruses: Choruses after which it ends; 0 goes on for ever.
        route: The place of each bar of the beat.
        last: Place of the bar of the last chord; None where the form goes on for ever.
    """

    def __init__(self, tune: Tune, beats: Beats) -> None:
        """Begin at the beginning, without an end."""
        self.tune = tune
        self.head: Head | None = None
        self.choruses = 0
        self.route = Route()
        self.last: int | None = None
        self._beats = beats

    @property
    def chart(self) -> ChartInTime:
        """The chart on the beat."""
        return ChartInTime(self.tune.chart, self._beats, self.route)

    @property
    def last_bar(self) -> int | None:
        """Bar of the beat of the last chord, at or after beat 0; None where the form goes on for ever."""
        return None if self.last is None else self._bar_of(self.last)

    def _bar_of(self, place: int) -> int | None:
        return self.route.bar_of(place, self.route.jumps[-1].bar if self.route.jumps else 0)

    def begin(self, place: int = 0) -> None:
        """Begin with beat 0 at a place, to end after the choruses."""
        self.route = Route().jumped(0, place) if place else Route()
        self.last = self.choruses * self.tune.chorus_bars or None

    def bar_chords(self, bar: int) -> Bar:
        """Return the chords of a bar of the beat."""
        return self.tune.chart.bars[self._at(bar)]

    def use_bar(self, bar: int, chords: Bar) -> bool:
        """Use other chords in the form with a bar of the beat; return whether they are other ones."""
        chart, at = self.tune.chart, self._at(bar)
        if chart.bars[at] == chords:
            return False
        bars = (*chart.bars[:at], chords, *chart.bars[at + 1 :])
        self.tune = replace(self.tune, chart=replace(chart, bars=bars))
        return True

    def use_choruses(self, choruses: int, beat: float, planned: int = 0) -> None:
        """End after some choruses, or with the one at a beat where they are over; 0 goes on for ever."""
        self.choruses = choruses
        self.last = choruses * self.tune.chorus_bars or None
        if self.last is None:
            return
        bar = max(self.bar(beat), 0)
        ends = self.route.bar_of(self.last, bar)
        if ends is None or ends <= bar or ends < planned:
            self.end_with_chorus(beat, planned)

    def has_head(self, chorus: int) -> bool:
        """Return whether the melody is played in a chorus, from 0; the count-in leads to the first."""
        return self.head is not None and (chorus <= 0 or chorus == self.choruses - 1)

    def heads(self, beat: float) -> bool:
        """Return whether the melody is played at a beat."""
        ended = self.last is not None and self.route.place(self.bar(beat)) >= self.last
        return self.has_head(self.chorus(max(beat, 0.0))) and not ended

    @property
    def solos_from(self) -> int:
        """Place of the first bar of the solos."""
        return 0 if self.head is None else self.tune.chorus_bars

    @property
    def solos_end(self) -> int | None:
        """Bar of the beat before which the solos end; None where they go on for ever.

        That is the last chorus where it is the head, one bar earlier for a pickup, else the last chord.
        """
        if self.last is None:
            return None
        last = self.last
        if self.head is not None and self.choruses > 1:
            out = (self.choruses - 1) * self.tune.chorus_bars - ceil(self.head.pickup - _ROUNDING)
            last = min(last, max(out, self.solos_from))
        return self._bar_of(last)

    def bar(self, beat: float) -> int:
        """Return the bar of the beat."""
        return floor(beat / self.tune.chart.beats_per_bar + _ROUNDING)

    def chorus(self, beat: float) -> int:
        """Return the chorus, or round of the loop, at a beat, from 0; negative before the form."""
        return self.route.place(self.bar(beat)) // self.tune.chorus_bars

    def next_chorus(self, beat: float) -> int:
        """Return the bar of the beat on which the chorus after the one at a beat begins."""
        place = (self.chorus(beat) + 1) * self.tune.chorus_bars
        bar = self.route.bar_of(place, self.bar(beat) + 1)
        assert bar is not None, "the last stretch of a route has no end"
        return bar

    def end_at(self, beat: float, planned: int = 0) -> int:
        """End on a last chord with the bar line at a beat or later, not before bar 1.

        Args:
            beat: A beat.
            planned: Bars that are planned already and cannot be the last.

        Returns:
            The bar of the beat.
        """
        bar = max(ceil(beat / self.tune.chart.beats_per_bar - _ROUNDING), 1, planned)
        self.last = self.route.place(bar)
        return bar

    def end_with_chorus(self, beat: float, planned: int = 0) -> None:
        """End with the chorus at a beat, or with the next one if what follows is planned already."""
        bar, bars = max(self.bar(beat), 0), self.tune.chorus_bars
        while True:
            last = (self.route.place(bar) // bars + 1) * bars
            ends = self.route.bar_of(last, bar + 1)
            if ends is None or ends >= planned:
                self.last = last
                return
            bar = ends

    def bar_target(self, bar: int, beat: float) -> int | None:
        """Return the place of a bar of the chart, from 1, in its round at a beat; None without such a bar.

        Where every chorus has its key, the bars are those of the chart in all keys.
        """
        bars = len(self.tune.chart.bars)
        if not 1 <= bar <= bars:
            return None
        return self._place_in_force(beat) // bars * bars + bar - 1

    def section_target(self, steps: int, beat: float) -> int:
        """Return the place of the section some steps from the one at a beat; the first one at the lowest.

        A chorus without sections is one.
        """
        chart = self.tune.chart
        starts = sorted(
            {section.bar for section in chart.sections}
            | set(range(0, len(chart.bars), self.tune.chorus_bars))
        )
        rounds, at = divmod(self._place_in_force(beat), len(chart.bars))
        more, index = divmod(bisect_right(starts, at) - 1 + steps, len(starts))
        return max((rounds + more) * len(chart.bars) + starts[index], 0)

    def go_to(self, place: int, bar: int) -> None:
        """Go on from a place with a bar of the beat; the last chord stays where it is in the form."""
        self.route = self.route.jumped(bar, place)

    def position(self, beat: float, position: Position) -> Position:
        """Return a position of the bars with that of the form at a beat."""
        bar, chart = self.bar(beat), self.tune.chart
        place = self.route.place(bar)
        at = beat + (place - bar) * chart.beats_per_bar
        chord, change = chord_from_start(chart, at), self._next_change(beat)
        return replace(
            position,
            chord="" if chord is None else str(chord),
            next_chord="" if change is None else str(change),
            chart_bar=None if bar < 0 else place % len(chart.bars),
            chorus=0 if bar < 0 else place // self.tune.chorus_bars + 1,
        )

    def _at(self, bar: int) -> int:
        """Return the bar of the chart that is played with a bar of the beat."""
        return self.route.place(bar) % len(self.tune.chart.bars)

    def _next_change(self, beat: float) -> Chord | None:
        """Return the next chord that differs from the one at a beat; None if none does."""
        chart, per_bar = self.tune.chart, self.tune.chart.beats_per_bar
        stretches = list(self.route.stretches(self.bar(beat)))
        chord = chord_from_start(chart, beat + stretches[0].ahead * per_bar)
        for stretch in stretches:
            ahead = stretch.ahead * per_bar
            place = max(beat, stretch.start * per_bar) + ahead
            if (first := chord_from_start(chart, place)) != chord:
                return first
            change = change_from_start(chart, place)
            if change is not None and change.beat < stretch.end * per_bar + ahead:
                return change.chord
        return None

    def _place_in_force(self, beat: float) -> int:
        """Return the place at a beat, or where the form goes on next if it is about to jump."""
        bar = max(self.bar(beat), 0)
        pending = self.route.pending(bar)
        return self.route.place(bar if pending is None else pending)
