"""The session's time: the clock in use, the count-in, clicks, the band, and MIDI clock out."""

from collections.abc import Callable, Iterable
from math import ceil, floor
from typing import Final

from tatumflow.engine.beats.tracker import BeatTracker, bundled_tracker
from tatumflow.engine.controls import Controls, spec_of
from tatumflow.engine.messages import HeardBeat, Position
from tatumflow.engine.midi.events import BeatReport, ClockEvent, NoteOn
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.accompaniment import Accompaniment
from tatumflow.engine.tempo.beat_clock import Beats
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.tempo.clock_out import ClockOut
from tatumflow.engine.tempo.grid import felt_beat
from tatumflow.engine.tempo.listening import BeatFollower
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL, Metronome
from tatumflow.engine.tempo.tap import Taps
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.engine.tempo.trading import Trading
from tatumflow.engine.tempo.transport import Transport
from tatumflow.engine.tempo.tune import Tune, tune_of

AHEAD: Final = 0.1
"""Seconds before they are due at which clicks and ticks are scheduled."""

COMMON_TIME: Final = 4
"""Beats of a bar without a chart."""

_ROUNDING: Final = 1e-6


class Timekeeper:
    """Beat, bars and chart of the companion, its clicks and MIDI clock, and the band.

    In free time only a chart has beats; it begins when it is set or when an improvisation begins. In tempo
    the beat goes on, whatever is played.

    Attributes:
        transport: The beat.
        chart: The chart of the controls, on that beat; None without one.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        controls: Controls,
        now: float,
        tracker: Callable[[], BeatTracker] = bundled_tracker,
    ) -> None:
        """Begin at `now` seconds; `tracker` opens the beat tracker when the clock is first `listen`."""
        self._scheduler = scheduler
        self._controls = controls
        self.transport = Transport(controls.tempo, now)
        self.transport.use_source(controls.clock)
        self._metronome = Metronome()
        self._accompaniment = Accompaniment(scheduler, controls)
        self._out = ClockOut()
        self._taps = Taps()
        self._jumps = self.transport.jumps
        self._open_tracker = tracker
        self._follower: BeatFollower | None = None
        self._listen_or_not(now)
        self._tune = tune_of(controls)
        self.chart = self._in_time(self._tune)
        self._chorus: int | None = None
        self._waits_since: float | None = None
        if controls.trades or controls.has_band:
            self.begin_bars(now)
            self._waits_since = now

    @property
    def running(self) -> bool:
        """Whether the clock in use runs."""
        return self.transport.running

    @property
    def in_tempo(self) -> bool:
        """Whether the beat goes on, whatever is played."""
        c = self._controls
        requested = c.clock != "internal" or c.trades or c.metronome or c.clock_out or c.has_band
        return bool(requested) and self.running

    @property
    def beats(self) -> Beats | None:
        """The beat in tempo or over a chart; None in free time."""
        return self.transport if self.in_tempo or self.chart is not None else None

    @property
    def in_force(self) -> TimeInForce:
        """The beat and the chart at present."""
        clock = None if self.beats is None or not self.running else self.transport.clock
        return TimeInForce(clock, self.beats_per_bar, None if self.chart is None else self.chart.chart)

    @property
    def trading(self) -> Trading | None:
        """The bars of each player's turns; None in free turns."""
        controls = self._controls
        bars = controls.trade_bars
        if controls.trade_choruses and self._tune is not None:
            bars = controls.trade_choruses * self._tune.chorus_bars
        return Trading(bars, self.beats_per_bar) if bars and self.running else None

    @property
    def beats_per_bar(self) -> int:
        """Beats of a bar."""
        return COMMON_TIME if self.chart is None else self.chart.chart.beats_per_bar

    @property
    def feels(self) -> bool:
        """Whether swing or grid pull moves onsets."""
        return self.running and (self._controls.swing > 0 or self._controls.grid_pull > 0)

    def felt(self, onset: float) -> float:
        """Return the seconds at which a note sampled for `onset` seconds sounds."""
        clock, controls = self.transport.clock, self._controls
        return clock.time(felt_beat(clock.beat(onset), controls.swing, controls.grid_pull))

    def use(self, controls: Controls, now: float) -> bool:
        """Use the clock, tempo, chart and bars of other controls from `now` seconds on.

        Returns:
            Whether the bars of turns changed.
        """
        was_in_tempo = self.in_tempo
        before, self._controls = self._controls, controls
        tune, turns = tune_of(controls), self._turn_bars(before)
        if tune != self._tune:
            self._tune, self.chart, self._chorus = tune, self._in_time(tune), None
        self.transport.use_source(controls.clock)
        self._listen_or_not(now)
        self._accompaniment.use(controls)
        trades = controls.trades and not before.trades
        band_begins = controls.has_band and not before.has_band and not was_in_tempo
        if (trades or band_begins) and controls.clock == "internal":
            self.begin_bars(now)
        elif controls.tempo != before.tempo and self.in_tempo:
            self.transport.use_tempo(controls.tempo, now)
        elif (controls.chords, controls.tempo) != (before.chords, before.tempo) and not self.in_tempo:
            self.begin_at(now)
        if band_begins:
            return True
        return (self._turn_bars(controls), controls.clock) != (turns, before.clock)

    def next_tempo(self, now: float) -> float | None:
        """Return the tempo of a chorus that has just begun at `now` seconds, by the control `tempo_step`.

        Returns:
            Beats per minute; None while a chorus goes on, and where the tempo is not the internal clock's.
        """
        controls, tune = self._controls, self._tune
        if not controls.tempo_step or tune is None or controls.clock != "internal" or not self.in_tempo:
            self._chorus = None
            return None
        before, self._chorus = self._chorus, floor(self.transport.beat(now) / tune.chorus_beats + _ROUNDING)
        if before is None or self._chorus <= max(before, 0):
            return None
        spec = spec_of("tempo")
        return min(max(controls.tempo + controls.tempo_step, spec.low), spec.high)

    def handle(self, event: ClockEvent | BeatReport) -> bool:
        """Handle an event of an external clock; return whether plans became void."""
        before = self.transport.jumps
        self.transport.handle(event)
        return self.transport.jumps != before

    def add_note(self, note: NoteOn) -> None:
        """Keep a note of the human's for the next update of the beat, and for the band."""
        self._accompaniment.hear(self.transport, ((note.time, note.pitch, note.velocity),))
        if self._follower is not None:
            self._follower.add_note(note.time, note.pitch, note.velocity)

    def add_committed(self, notes: Iterable[Note]) -> None:
        """Let the band hear the companion's committed notes."""
        self._accompaniment.hear(self.transport, ((n.onset, n.pitch, n.velocity) for n in notes))

    def end_tune(self, time: float) -> float | None:
        """Let the band end on the first bar line at `time` seconds or later.

        Returns:
            Seconds at which its last chord has ended; None without a band.
        """
        end = self._accompaniment.end_after(self.transport.beat(time))
        return None if end is None else self.transport.time(end)

    def end_chorus(self, now: float) -> None:
        """Let the band end with the chorus in progress at `now` seconds."""
        if self._tune is not None:
            beats = self._tune.chorus_beats
            self._accompaniment.end_after(max(ceil(self.transport.beat(now) / beats), 1) * beats)

    def listen(self, now: float) -> bool:
        """Update the beat of the human's playing at `now` seconds; return whether plans became void."""
        follower = self._follower
        if follower is None or (look := follower.next_look) is None or now < look:
            return False
        jumped = follower.advance(now)
        self.transport.listen(follower.clock, jumped)
        return jumped

    @property
    def heard(self) -> HeardBeat | None:
        """The beat of the human's playing; None where the clock is not `listen`."""
        follower = self._follower
        if follower is None:
            return None
        tempo = None if follower.clock is None else round(follower.clock.tempo, 1)
        return HeardBeat(round(follower.confidence, 2), tempo)

    def lose(self, now: float) -> bool:
        """Return whether MIDI clock was just lost."""
        return self.transport.lose(now)

    def begin_bars(self, now: float) -> None:
        """Begin with the first bar, after the count-in where there is a tempo."""
        c = self._controls
        bars = c.count_in + (c.band_intro if c.has_band else 0)
        beats = bars * self.beats_per_bar if self.in_tempo else 0
        self.transport.begin(self._controls.tempo, now + beats * 60 / self._controls.tempo)

    def begin_at(self, origin: float) -> None:
        """Put beat 0 of the internal clock at `origin` seconds."""
        self.transport.begin(self._controls.tempo, origin)

    def tap(self, time: float) -> float | None:
        """Return the tempo of the taps up to this one in beats per minute, None while there are too few."""
        return self._taps.tap(time)

    def next_bar(self, time: float) -> float:
        """Return the seconds of the first bar line at `time` seconds or later, none before beat 0."""
        bars = -(-(self.transport.beat(time) - _ROUNDING) // self.beats_per_bar)
        return self.transport.time(max(bars, 0) * self.beats_per_bar)

    def advance(self, now: float) -> float | None:
        """Schedule the clicks and ticks that are due soon.

        Returns:
            Seconds at which to call it again; None without clicks, ticks or a beat to follow.
        """
        transport, controls = self.transport, self._controls
        if self._waits_since is not None:
            # The count-in begins when it can be heard, not while a model is still being warmed up.
            if now - self._waits_since > AHEAD and controls.clock == "internal":
                self.begin_bars(now)
            self._waits_since = None
        if transport.jumps != self._jumps:
            self._jumps = transport.jumps
            self._scheduler.release_all(CLICK_CHANNEL)
            self._metronome.restart()
            self._out.restart()
        wake: list[float] = [transport.lost_at] if transport.lost_at < float("inf") else []
        until = now + AHEAD
        if self._follower is not None and (look := self._follower.next_look) is not None:
            wake.append(max(look, now))
        if controls.tempo_step and self._tune is not None and self.in_tempo:
            beats = self._tune.chorus_beats
            wake.append(transport.time((floor(transport.beat(now) / beats + _ROUNDING) + 1) * beats))
        plays = self._accompaniment.advance(transport, now, until)
        if plays:
            wake.append(now + AHEAD / 2)
        if self.in_tempo and (controls.metronome or (transport.beat(now) < 0 and not plays)):
            clicks = self._metronome.clicks(
                transport.clock, now, until, self.beats_per_bar, controls.metronome, count_in=not plays
            )
            for click in clicks:
                self._scheduler.note(click, CLICK_CHANNEL)
            wake.append(now + AHEAD / 2)
        else:
            self._metronome.restart()
        ticks = self.in_tempo and controls.clock_out
        for event in self._out.due(transport.clock, now, until) if ticks else self._out.stop(now):
            self._scheduler.clock_event(event)
        if ticks:
            wake.append(now + AHEAD / 2)
        return min(wake, default=None)

    def position(self, now: float) -> Position | None:
        """Return bar, beat and chord at `now` seconds; None in free time without a chart."""
        if not self.in_tempo and self.chart is None:
            return None
        beat = self.transport.beat(now)
        bar, within = divmod(floor(beat + _ROUNDING), self.beats_per_bar)
        chart = None if self.chart is None else self.chart.chart
        chord = None if chart is None else chart.chord_at(beat)
        change = None if chart is None else chart.next_change(beat)
        tune = self._tune if bar >= 0 else None
        return Position(
            bar=bar + 1,
            beat=within + 1,
            beats_per_bar=self.beats_per_bar,
            tempo=round(self.transport.clock.tempo, 1),
            turn_bars=0 if self.trading is None else self.trading.bars,
            chord="" if chord is None else str(chord),
            next_chord="" if change is None or change.chord is None else str(change.chord),
            chart_bar=None if tune is None else bar % len(tune.chart.bars),
            chorus=0 if tune is None else bar // tune.chorus_bars + 1,
        )

    def _listen_or_not(self, now: float) -> None:
        """Start or stop following the beat of the human's playing, by the control `clock`."""
        if self._controls.clock != "listen":
            self._follower = None
        elif self._follower is None:
            self._follower = BeatFollower(self._open_tracker(), now)
        if self._follower is None:
            self.transport.listen(None, jumped=False)

    def _in_time(self, tune: Tune | None) -> ChartInTime | None:
        return None if tune is None else ChartInTime(tune.chart, self.transport)

    def _turn_bars(self, controls: Controls) -> tuple[object, ...]:
        """Return what the bars of turns go by."""
        chorus = self._tune.chorus_bars if controls.trade_choruses and self._tune is not None else 0
        return controls.trade_bars, controls.trade_choruses, chorus
