"""MIDI clock out: ticks at their times, and the song position."""

from math import ceil, inf
from typing import Final

from tatumflow.engine.midi.events import (
    ClockContinue,
    ClockEvent,
    ClockStart,
    ClockStop,
    ClockTick,
    SongPosition,
)
from tatumflow.engine.tempo.beat_clock import Beats
from tatumflow.engine.tempo.midi_clock import TICKS_PER_BEAT, TICKS_PER_SIXTEENTH

LEAD: Final = 0.002
"""Seconds from a start message to its first tick; receivers need 1 ms at least."""

_POSITIONS: Final = 1 << 14


class ClockOut:
    """Returns each tick once, with start, stop, continue and song position between them.

    Ticks are sent during the count-in, so that followers have the tempo when the song starts. Where the song
    runs already, they get a song position to go on from, a sixteenth away at most.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._entry: int | None = None
        self._given = -inf
        self._started = False

    def restart(self) -> None:
        """Send the song position again: the clock has jumped."""
        self._next = None

    def stop(self, now: float) -> tuple[ClockEvent, ...]:
        """Stop the ticks; return the stop message, nothing if no start was sent."""
        started, self._started, self._next, self._entry = self._started, False, None, None
        return (ClockStop(max(now, self._given)),) if started else ()

    def due(self, beats: Beats, now: float, until: float) -> tuple[ClockEvent, ...]:
        """Return the events due up to `until` seconds that were not returned yet, in order.

        Args:
            beats: Where the beats are.
            now: Seconds; the earliest time of an event.
            until: Seconds.
        """
        events: list[ClockEvent] = []
        if self._next is None:
            since = max(now, self._given)
            events += self.stop(since)
            self._next = ceil(beats.beat(since + LEAD) * TICKS_PER_BEAT)
            self._entry = 0
            if self._next > 0:
                sixteenth = -(-self._next // TICKS_PER_SIXTEENTH)
                self._entry = sixteenth * TICKS_PER_SIXTEENTH
                events.append(SongPosition(since, sixteenth % _POSITIONS))
        while (time := beats.time(self._next / TICKS_PER_BEAT)) <= until:
            time = max(time, self._given)
            if self._next == self._entry:
                announced = max(time - LEAD, self._given)
                events.append(ClockContinue(announced) if self._entry else ClockStart(announced))
                self._entry, self._started = None, True
            events.append(ClockTick(time))
            self._given = time
            self._next += 1
        return tuple(events)
