"""A chart in time: the chord at a time in seconds, and the next ones."""

from dataclasses import dataclass
from math import floor

from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import Chord, chord_id
from tatumflow.engine.harmony.pickup import change_from_start, chord_from_start
from tatumflow.engine.harmony.route import STRAIGHT, Route
from tatumflow.engine.tempo.beat_clock import BeatClock, Beats

_MOST_UPCOMING = 64
_ROUNDING = 1e-6


@dataclass(frozen=True)
class ChartInTime:
    """A chart over the beats of a clock.

    Attributes:
        chart: The chart, looped, after its pick-up.
        beats: Where the beats are; beat 0 is the first of the form.
        route: Which bar of the form each bar of the beat is.
    """

    chart: Chart
    beats: Beats
    route: Route = STRAIGHT

    def beat(self, time: float) -> float:
        """Return the beat of the chart at `time` seconds, counted on in every chorus; negative before it."""
        return self._place(self.beats.beat(time))

    def chord_id_at(self, time: float) -> int:
        """Return the id of the chord that holds at `time` seconds, 0 for none."""
        return chord_id(chord_from_start(self.chart, self.beat(time)))

    def upcoming(self, time: float, seconds: float) -> tuple[Chord, ...]:
        """Return the chords from `time` on for some seconds, at most 64, none of them twice in a row."""
        per_bar = self.chart.beats_per_bar
        beat, end = self.beats.beat(time), self.beats.beat(time + seconds)
        chords: list[Chord] = []
        for stretch in self.route.stretches(self._bar(beat)):
            ahead = stretch.ahead * per_bar
            place = max(beat, stretch.start * per_bar) + ahead
            chord, until = chord_from_start(self.chart, place), min(end, stretch.end * per_bar) + ahead
            while len(chords) < _MOST_UPCOMING:
                if chord is not None and (not chords or chord != chords[-1]):
                    chords.append(chord)
                change = change_from_start(self.chart, place)
                if change is None or change.beat >= until:
                    break
                place, chord = float(change.beat), change.chord
            if stretch.end * per_bar >= end:
                break
        return tuple(chords)

    def _bar(self, beat: float) -> int:
        return floor(beat / self.chart.beats_per_bar + _ROUNDING)

    def _place(self, beat: float) -> float:
        bar = self._bar(beat)
        return beat + (self.route.place(bar) - bar) * self.chart.beats_per_bar


class ChartClock(ChartInTime):
    """A chart at a constant tempo from a given time on."""

    def __init__(self, chart: Chart, tempo: float, origin: float) -> None:
        """Begin the chart, looped, at a tempo in beats per minute, with its first beat at `origin` s."""
        super().__init__(chart, BeatClock(tempo, origin))
