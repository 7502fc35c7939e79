"""A chart in time: the chord at a time in seconds, and the next ones."""

from dataclasses import dataclass

from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import Chord, chord_id
from tatumflow.engine.tempo.beat_clock import BeatClock, Beats

_MOST_UPCOMING = 64


@dataclass(frozen=True)
class ChartInTime:
    """A chart over the beats of a clock.

    Attributes:
        chart: The chart, looped.
        beats: Where its beats are; beat 0 is its first.
    """

    chart: Chart
    beats: Beats

    def beat(self, time: float) -> float:
        """Return the beats since the chart's start at `time` seconds; negative before it."""
        return self.beats.beat(time)

    def chord_id_at(self, time: float) -> int:
        """Return the id of the chord that holds at `time` seconds, 0 for none."""
        return chord_id(self.chart.chord_at(self.beat(time)))

    def upcoming(self, time: float, seconds: float) -> tuple[Chord, ...]:
        """Return the chords from `time` on for some seconds, at most 64, none of them twice in a row."""
        beat, end = self.beat(time), self.beat(time + seconds)
        chords: list[Chord] = []
        chord = self.chart.chord_at(beat)
        while len(chords) < _MOST_UPCOMING:
            if chord is not None:
                chords.append(chord)
            change = self.chart.next_change(beat)
            if change is None or change.beat >= end:
                break
            beat, chord = float(change.beat), change.chord
        return tuple(chords)


class ChartClock(ChartInTime):
    """A chart at a constant tempo from a given time on."""

    def __init__(self, chart: Chart, tempo: float, origin: float) -> None:
        """Begin the chart, looped, at a tempo in beats per minute, with its first beat at `origin` s."""
        super().__init__(chart, BeatClock(tempo, origin))
