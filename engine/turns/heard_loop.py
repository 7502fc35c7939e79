"""The loop of heard chords: the bars that the human has just played become the chart, bar by bar."""

from math import floor
from typing import Final

from tatumflow.engine.harmony.bar_estimator import Sounding, bar_of, heard_halves
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.heard_harmony import HeardHarmony

READ_AFTER: Final = 0.5
"""Seconds after a bar at which its chords are estimated: what follows it helps, and a chord that comes
late is not missed."""

_ROUNDING: Final = 1e-6


class HeardLoop:
    """Puts the chords of each bar that the human has played into the chart, where the control asks for that.

    A bar that is not sure, or in which no chord was struck, keeps its chords. So does a first half; over a
    second half the chord of a sure first one holds on.
    """

    def __init__(self, harmony: HeardHarmony, time: Timekeeper) -> None:
        self._harmony = harmony
        self._time = time
        self._read = -1

    def next_due(self) -> float | None:
        """Return the seconds at which `advance` is due; None where there is no such loop."""
        if not self._time.loops_heard:
            return None
        return self._time.transport.time((self._read + 2) * self._time.beats_per_bar) + READ_AFTER

    def advance(self, now: float) -> bool:
        """Read the last bar that ended by `now` - `READ_AFTER` seconds, once.

        Returns:
            Whether the chart has changed.
        """
        time, beats = self._time, self._time.beats_per_bar
        if not time.loops_heard:
            self._read = -1
            return False
        bar = floor(time.transport.beat(now - READ_AFTER) / beats + _ROUNDING) - 1
        if bar == self._read:
            return False
        self._read = bar
        before = time.bar_chords(bar)
        notes = self._harmony.notes
        if bar < 0 or before is None or not len(notes):
            return False
        start, end = time.transport.time(bar * beats), time.transport.time((bar + 1) * beats)
        halves = heard_halves(Sounding.of(notes), start, end, now)
        return time.use_bar(bar, bar_of(halves, before, beats))
