"""A chart in time: which chord holds at a second, and which come next."""

from dataclasses import dataclass

from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import Chord, chord_id

_MOST_UPCOMING = 64


@dataclass(frozen=True)
class ChartClock:
    """A chart played from a moment on.

    Attributes:
        chart: The chart, looped.
        tempo: Beats per minute.
        origin: Seconds at which its first beat falls.
    """

    chart: Chart
    tempo: float
    origin: float

    def beat(self, time: float) -> float:
        """Return the beats since the chart's start at `time` seconds; negative before it."""
        return (time - self.origin) * self.tempo / 60

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
