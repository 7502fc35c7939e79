"""The transport: the one clock of bars, chords, clicks and grid, from the source in use."""

from math import inf
from typing import Final

from tatumflow.engine.controls import ClockSource
from tatumflow.engine.midi.events import BeatReport, ClockContinue, ClockEvent, ClockStart
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.midi_clock import PAUSE, MidiClock

LOST: Final = 2.0
"""Seconds without a tick after which a running MIDI clock counts as lost."""

_JUMP: Final = 0.02


class Transport:
    """Beats of the source in use; implements `Beats`.

    Of several inputs that send MIDI clock, the one that last started a song is followed as long as it goes
    on, and before a start the first.

    Attributes:
        source: The clock in use.
        jumps: How often plans made by this clock became void.
    """

    def __init__(self, tempo: float, origin: float) -> None:
        """Begin with the internal clock, whose beat 0 is at `origin` seconds."""
        self.source: ClockSource = "internal"
        self.jumps = 0
        self._own = BeatClock(tempo, origin)
        self._midi = MidiClock()
        self._port = ""
        self._last_at = -inf
        self._reported: BeatClock | None = None
        self._listened: BeatClock | None = None

    @property
    def running(self) -> bool:
        """Whether there is a beat; the internal clock always runs."""
        if self.source == "midi":
            return self._midi.running and self._midi.clock is not None
        return self.source == "internal" or self._outside is not None

    @property
    def clock(self) -> BeatClock:
        """The clock at present; the internal one while the source in use has no beat."""
        outside = self._outside
        return self._own if self.source == "internal" or outside is None else outside

    @property
    def _outside(self) -> BeatClock | None:
        if self.source == "listen":
            return self._listened
        return self._midi.clock if self.source == "midi" else self._reported

    @property
    def lost_at(self) -> float:
        """Seconds at which a MIDI clock without further ticks counts as lost; infinite for other clocks."""
        if self.source != "midi" or not self.running or self._midi.last_tick is None:
            return inf
        return self._midi.last_tick + LOST

    def beat(self, time: float) -> float:
        """Return the beat at `time` seconds."""
        return self.clock.beat(time)

    def time(self, beat: float) -> float:
        """Return the seconds of a beat."""
        return self.clock.time(beat)

    def begin(self, tempo: float, origin: float) -> None:
        """Restart the internal clock, with beat 0 at `origin` seconds."""
        self._own = BeatClock(tempo, origin)
        self._jumped("internal")

    def use_tempo(self, tempo: float, now: float) -> None:
        """Change the tempo of the internal clock from its present beat on."""
        self._own = self._own.at_tempo(tempo, now)
        self._jumped("internal")

    def put_beat(self, time: float) -> None:
        """Move the internal clock by half a beat at most, so that a beat falls on `time` seconds."""
        self._own = self._own.with_beat_at(time)
        self._jumped("internal")

    def use_source(self, source: ClockSource) -> None:
        """Follow another source; the internal clock goes on where the last one was."""
        if source != self.source:
            self._own, self.source = self.clock, source
            self.jumps += 1

    def handle(self, event: ClockEvent | BeatReport) -> None:
        """Handle an event of an external clock, in use or not."""
        if isinstance(event, BeatReport):
            self._report(event)
            return
        if event.port != self._port and self._last_at > -inf:
            if event.time - self._last_at <= PAUSE and not isinstance(event, ClockStart | ClockContinue):
                return
            self._midi = MidiClock()
            self._jumped("midi")
        self._port, self._last_at = event.port, event.time
        before, had_beat = self._midi.jumps, self._midi.clock is not None
        self._midi.handle(event)
        if self._midi.jumps != before or had_beat != (self._midi.clock is not None):
            self._jumped("midi")

    def listen(self, clock: BeatClock | None, jumped: bool) -> None:
        """Set the beat of the human's playing, None for none; `jumped` if it moved."""
        self._listened = clock
        if jumped:
            self._jumped("listen")

    def lose(self, now: float) -> bool:
        """Stop the song if MIDI clock is lost; return whether it was just lost."""
        if now < self.lost_at:
            return False
        self._midi.lose()
        self._jumped("midi")
        return True

    def _report(self, event: BeatReport) -> None:
        before = self._reported
        self._reported = BeatClock(event.tempo, event.time - event.beat * 60 / event.tempo)
        if before is None or abs(before.beat(event.time) - event.beat) > _JUMP:
            self._jumped("link")

    def _jumped(self, source: ClockSource) -> None:
        if source == self.source:
            self.jumps += 1
