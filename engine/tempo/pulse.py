"""The pulse that is sent out: clicks of the metronome, and MIDI clock."""

from typing import Final

from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.clock_out import ClockOut
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL, Metronome
from tatumflow.engine.tempo.transport import Transport

_MORE: Final = 0.05
"""Seconds after which there is more to schedule."""


class Pulse:
    """Schedules clicks and ticks shortly before they are due."""

    def __init__(self, scheduler: Scheduler, transport: Transport) -> None:
        """Begin anywhere on the beat of `transport`."""
        self._scheduler = scheduler
        self._transport = transport
        self._metronome = Metronome()
        self._out = ClockOut()
        self._jumps = transport.jumps

    def silence(self) -> None:
        """End and withdraw every click now."""
        self._scheduler.release_all(CLICK_CHANNEL)

    def follow_jumps(self) -> None:
        """Begin again where the beat has jumped since the last call."""
        if self._transport.jumps != self._jumps:
            self._jumps = self._transport.jumps
            self.silence()
            self._metronome.restart()
            self._out.restart()

    def clicks(
        self, now: float, until: float, beats_per_bar: int, volume: float, *, count_in: bool
    ) -> float | None:
        """Schedule the clicks due up to `until` seconds; see `Metronome.clicks`.

        Returns:
            Seconds at which to call it again; None where there are none.
        """
        counts = count_in and self._transport.beat(now) < 0
        if not (volume or counts):
            self._metronome.restart()
            return None
        clock = self._transport.clock
        for click in self._metronome.clicks(clock, now, until, beats_per_bar, volume, count_in=count_in):
            self._scheduler.note(click, CLICK_CHANNEL)
        return now + _MORE

    def ticks(self, now: float, until: float, *, sent: bool) -> float | None:
        """Schedule the ticks of MIDI clock due up to `until` seconds, or stop it where none are `sent`.

        Returns:
            Seconds at which to call it again; None where there are none.
        """
        clock = self._transport.clock
        for event in self._out.due(clock, now, until) if sent else self._out.stop(now):
            self._scheduler.clock_event(event)
        return now + _MORE if sent else None
