"""The session's time: the clock in use, the count-in, clicks, the band, and MIDI clock out."""

from collections.abc import Callable, Iterable
from math import floor
from typing import Final

from tatumflow.engine.beats.tracker import BeatTracker, bundled_tracker
from tatumflow.engine.controls import Controls, spec_of
from tatumflow.engine.harmony.chart import Bar
from tatumflow.engine.messages import GoToBar, GoToSection, HeardBeat, Position
from tatumflow.engine.midi.events import BeatReport, ClockEvent, ClockStart, NoteOn, SongPosition
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.arrangement import Arrangement
from tatumflow.engine.tempo.beat_clock import Beats
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.tempo.course import Course
from tatumflow.engine.tempo.grid import felt_beat
from tatumflow.engine.tempo.listening import BeatFollower
from tatumflow.engine.tempo.pulse import Pulse
from tatumflow.engine.tempo.tap import Taps
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.engine.tempo.trading import Trading
from tatumflow.engine.tempo.transport import Transport

AHEAD: Final = 0.1
"""Seconds before they are due at which clicks and ticks are scheduled."""

COMMON_TIME: Final = 4
"""Beats of a bar without a chart."""

JUMP_AHEAD: Final = 0.2
"""Seconds before a bar line up to which the form can still go on elsewhere with it; the band plans later."""

_MOVED: Final = 0.5
"""Beats by which a beat that is reported moves where it goes on elsewhere."""

_ROUNDING: Final = 1e-6


class Timekeeper:
    """Beat, bars and chart of the companion, its clicks and MIDI clock, and the band.

    In free time only a chart has beats; it begins when it is set or when an improvisation begins. In tempo
    the beat goes on, whatever is played. Stopped, there is neither beat nor chart, until bars begin again.

    Attributes:
        transport: The beat.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        controls: Controls,
        now: float,
        tracker: Callable[[], BeatTracker] = bundled_tracker,
    ) -> None:
        """Begin at `now` seconds; `tracker` opens the beat tracker when the clock is first `listen`."""
        self._controls = controls
        self.transport = Transport(controls.tempo, now)
        self.transport.use_source(controls.clock)
        self._arrangement = Arrangement(scheduler, controls, self.transport)
        self._pulse = Pulse(scheduler, self.transport)
        self._taps = Taps()
        self._open_tracker = tracker
        self._follower: BeatFollower | None = None
        self._listen_or_not(now)
        self._stopped_at: float | None = None
        self._begins_from = 0
        self._chorus: int | None = None
        self._waits_since: float | None = None
        if controls.trades or controls.has_band or controls.has_head:
            self.begin_bars(now)
            self._waits_since = now

    @property
    def _course(self) -> Course | None:
        return self._arrangement.course

    @property
    def running(self) -> bool:
        """Whether the clock in use runs and the bars were not stopped."""
        return self.transport.running and not self.stopped

    @property
    def stopped(self) -> bool:
        """Whether the bars were stopped, or the tune has ended."""
        return self._stopped_at is not None

    @property
    def chart(self) -> ChartInTime | None:
        """The chart of the controls, on the beat; None without one, and while the bars are stopped."""
        return None if self._course is None or self.stopped else self._course.chart

    @property
    def in_tempo(self) -> bool:
        """Whether the beat goes on, whatever is played."""
        return self._controls.keeps_time and self.running

    @property
    def loops_heard(self) -> bool:
        """Whether the chords of the last bars are the chart, and bars go by."""
        return self._controls.loops_heard and self.running

    @property
    def heard_chart(self) -> str:
        """The chart that is made of the chords of the last bars, as text; empty for another one or none."""
        if self._course is None or not self._controls.loops_heard:
            return ""
        return self._course.tune.chart.text

    @property
    def beats(self) -> Beats | None:
        """The beat in tempo or over a chart; None in free time."""
        return self.transport if self.in_tempo or self.chart is not None else None

    @property
    def in_force(self) -> TimeInForce:
        """The beat and the chart at present."""
        clock = None if self.beats is None or not self.running else self.transport.clock
        chart = self.chart
        if chart is None:
            return TimeInForce(clock, self.beats_per_bar)
        return TimeInForce(clock, self.beats_per_bar, chart.chart, chart.route)

    @property
    def trading(self) -> Trading | None:
        """The bars of each player's turns; None in free turns."""
        controls, course = self._controls, self._course
        bars = controls.trade_bars
        if controls.trade_choruses and course is not None:
            bars = controls.trade_choruses * course.tune.chorus_bars
        if not bars or not self.running:
            return None
        if course is None:
            return Trading(bars, self.beats_per_bar)
        return Trading(bars, self.beats_per_bar, course.route, course.solos_from, course.solos_end)

    @property
    def beats_per_bar(self) -> int:
        """Beats of a bar."""
        return COMMON_TIME if self._course is None else self._course.tune.chart.beats_per_bar

    @property
    def solos_end(self) -> float | None:
        """Seconds of the bar line before which the solos end; None where they go on for ever."""
        last = None if self._course is None or not self.running else self._course.solos_end
        return None if last is None else self.transport.time(last * self.beats_per_bar)

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
        turns = self._turn_bars(before)
        if self._arrangement.use(controls, self._beat(now)):
            self._chorus, self._begins_from = None, 0
            if self.stopped:
                self._stopped_at = 0.0
        if controls.clock != before.clock and controls.clock != "internal":
            self._begin_form()
        self.transport.use_source(controls.clock)
        self._listen_or_not(now)
        trades = controls.trades and not before.trades
        begins = controls.has_band or controls.has_head
        begins = begins and not (before.has_band or before.has_head or was_in_tempo or self.stopped)
        if self.stopped:
            pass
        elif (trades or begins) and controls.clock == "internal":
            self.begin_bars(now)
        elif controls.tempo != before.tempo and self.in_tempo:
            self.transport.use_tempo(controls.tempo, now)
        elif (controls.chords, controls.tempo) != (before.chords, before.tempo) and not self.in_tempo:
            self.begin_at(now)
        if begins:
            return True
        return (self._turn_bars(controls), controls.clock) != (turns, before.clock)

    def next_tempo(self, now: float) -> float | None:
        """Return the tempo of a chorus that has just begun at `now` seconds, by the control `tempo_step`.

        Returns:
            Beats per minute; None while a chorus goes on, and where the tempo is not the internal clock's.
        """
        controls, course = self._controls, self._course
        if not controls.tempo_step or course is None or controls.clock != "internal" or not self.in_tempo:
            self._chorus = None
            return None
        before, self._chorus = self._chorus, course.chorus(self.transport.beat(now))
        if before is None or self._chorus <= max(before, 0):
            return None
        spec = spec_of("tempo")
        return min(max(controls.tempo + controls.tempo_step, spec.low), spec.high)

    def handle(self, event: ClockEvent | BeatReport) -> bool:
        """Handle an event of an external clock; return whether plans became void."""
        before, beat = self.transport.jumps, self.transport.beat(event.time)
        self.transport.handle(event)
        if self.transport.jumps == before:
            return False
        moved = abs(self.transport.beat(event.time) - beat) > _MOVED
        if isinstance(event, ClockStart | SongPosition) or (isinstance(event, BeatReport) and moved):
            self._begin_form()
        self._stopped_at = None
        return True

    def add_note(self, note: NoteOn) -> None:
        """Keep a note of the human's for the next update of the beat, and for the band."""
        self._arrangement.hear(((note.time, note.pitch, note.velocity),))
        if self._follower is not None:
            self._follower.add_note(note.time, note.pitch, note.velocity)

    def add_committed(self, notes: Iterable[Note]) -> None:
        """Let the band hear the companion's committed notes."""
        self._arrangement.hear((n.onset, n.pitch, n.velocity) for n in notes)

    def end_tune(self, time: float) -> float | None:
        """Let the band end on the first bar line at `time` seconds or later.

        Returns:
            Seconds at which its last chord has ended; None without a band.
        """
        bar = self._arrangement.end_at(self.transport.beat(time))
        return None if bar is None else self.transport.time((bar + 1) * self.beats_per_bar)

    def end_chorus(self, now: float) -> str:
        """End the tune with the chorus in progress at `now` seconds; return why not, empty if it does."""
        if self._course is None:
            return "there is no chart to end; set chords"
        if self.stopped:
            return "the bars are stopped already"
        self._arrangement.end_with_chorus(self.transport.beat(now))
        return ""

    def stop(self, now: float) -> None:
        """Stop beat, band and clicks at `now` seconds, with every note of theirs; the chart stays there."""
        if not self.stopped:
            self._end(now)
            self._arrangement.stop()
            self._pulse.silence()

    def go_to(self, command: GoToBar | GoToSection, now: float) -> str:
        """Go on from a bar or a section of the chart with the next bar line after `now` seconds.

        While the bars are stopped, they begin from there.

        Returns:
            Why that is impossible; empty if it is done.
        """
        place = self._arrangement.target(command, self._beat(now))
        if isinstance(place, str):
            return place
        if self.stopped and self._controls.clock == "internal":
            self._arrangement.begin(place)
            self._begins_from, self._stopped_at = place, 0.0
            return ""
        if not self.transport.running:
            return "the clock does not run; start it first"
        self._stopped_at = None
        bar = -(-(self.transport.beat(now + JUMP_AHEAD) - _ROUNDING) // self.beats_per_bar)
        self._arrangement.go_to(place, int(bar))
        return ""

    def bar_chords(self, bar: int) -> Bar | None:
        """Return the chords of a bar of the beat, from 0; None without a chart."""
        return None if self._course is None else self._course.bar_chords(bar)

    def use_bar(self, bar: int, chords: Bar) -> bool:
        """Use other chords in the chart's bar that is played with a bar of the beat.

        Returns:
            Whether they are other ones.
        """
        return self._arrangement.use_bar(bar, chords)

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
        """Begin with the first bar, or the one gone to while stopped, after the count-in in a tempo."""
        self._begin_form(self._begins_from)
        c = self._controls
        bars = c.count_in + (c.band_intro if c.has_band else 0)
        beats = bars * self.beats_per_bar if self.in_tempo else 0
        self.transport.begin(self._controls.tempo, now + beats * 60 / self._controls.tempo)

    def begin_at(self, origin: float) -> None:
        """Put beat 0 of the internal clock, and of the form, at `origin` seconds."""
        self._begin_form()
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
        self._pulse.follow_jumps()
        wake: list[float | None] = [transport.lost_at] if transport.lost_at < float("inf") else []
        until = now + AHEAD
        if self._follower is not None and (look := self._follower.next_look) is not None:
            wake.append(max(look, now))
        if self.running and (end := self._end_time) is not None:
            if now >= end - _ROUNDING:
                self._end(now)
            else:
                wake.append(end)
            until = min(until, end - 2 * _ROUNDING)
        if controls.tempo_step and self.in_tempo and self._course is not None:
            bar = self._course.next_chorus(transport.beat(now))
            wake.append(transport.time(bar * self.beats_per_bar))
        plays = not self.stopped and self._arrangement.advance(now, until)
        if plays or (self._arrangement.has_head and self.running):
            wake.append(now + AHEAD / 2)
        sounds, per_bar = self.in_tempo, self.beats_per_bar
        volume = controls.metronome if sounds else 0.0
        wake.append(self._pulse.clicks(now, until, per_bar, volume, count_in=sounds and not plays))
        wake.append(self._pulse.ticks(now, until, sent=bool(sounds and controls.clock_out)))
        return min((time for time in wake if time is not None), default=None)

    def position(self, now: float) -> Position | None:
        """Return bar, beat and chord at `now` seconds; None in free time without a chart."""
        if not self.in_tempo and self._course is None and not self.stopped:
            return None
        beat = self._beat(now)
        bar, within = divmod(floor(beat + _ROUNDING), self.beats_per_bar)
        found = Position(
            bar=bar + 1,
            beat=within + 1,
            beats_per_bar=self.beats_per_bar,
            tempo=round(self.transport.clock.tempo, 1),
            turn_bars=0 if self.trading is None else self.trading.bars,
            stopped=self.stopped,
        )
        return found if self._course is None else self._course.position(beat, found)

    def heads(self, now: float) -> bool:
        """Return whether the melody is played at `now` seconds, and goes on until a turn can be planned."""
        return self.running and self._arrangement.heads(now, AHEAD)

    def head_notes(self, now: float) -> list[Note]:
        """Return the notes of the melody that are due soon after `now` seconds, each once."""
        return self._arrangement.head_notes(now, now + AHEAD) if self.running else []

    def _beat(self, now: float) -> float:
        """Return the beat at `now` seconds, or the one at which the bars were stopped."""
        return self.transport.beat(now) if self._stopped_at is None else self._stopped_at

    def _begin_form(self, place: int = 0) -> None:
        """Begin the form at a place with beat 0, and let the bars go on."""
        self._stopped_at, self._begins_from = None, 0
        self._arrangement.begin(place)

    @property
    def _end_time(self) -> float | None:
        """Seconds at which the tune has ended, its last chord included; None where it goes on for ever."""
        bar = self._arrangement.end_bar
        return None if bar is None else self.transport.time(bar * self.beats_per_bar)

    def _end(self, now: float) -> None:
        """Let beat and chart rest from `now` seconds on, while what sounds goes on."""
        self._stopped_at, self._waits_since = self.transport.beat(now), None
        self._begins_from = 0
        self._arrangement.rest()

    def _listen_or_not(self, now: float) -> None:
        """Start or stop following the beat of the human's playing, by the control `clock`."""
        if self._controls.clock != "listen":
            self._follower = None
        elif self._follower is None:
            self._follower = BeatFollower(self._open_tracker(), now)
        if self._follower is None:
            self.transport.listen(None, jumped=False)

    def _turn_bars(self, controls: Controls) -> tuple[object, ...]:
        """Return what the bars of turns go by."""
        course = self._course
        chorus = course.tune.chorus_bars if controls.trade_choruses and course is not None else 0
        return controls.trade_bars, controls.trade_choruses, chorus
