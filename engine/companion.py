"""The companion: hears every note, decides whose turn it is, and plays when it is its own."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.decoder import Floats
from tatumflow.engine.errors import SettingError
from tatumflow.engine.events import (
    BeatReport,
    ClockContinue,
    ClockStart,
    ClockStop,
    ClockTick,
    InputEvent,
    NoteOn,
    SongPosition,
)
from tatumflow.engine.harmony.chart_clock import ChartInTime
from tatumflow.engine.listener import Listener
from tatumflow.engine.messages import (
    BeginBars,
    Health,
    Notice,
    Panic,
    PlayKey,
    SetControl,
    Snapshot,
    TakeTurn,
    TapTempo,
    Turn,
    YieldTurn,
)
from tatumflow.engine.modes import LEAD, Mode, TurnPlan, mode_named
from tatumflow.engine.notes import Note, Role
from tatumflow.engine.phrase import Phrase
from tatumflow.engine.phrase_guide import PhraseGuide
from tatumflow.engine.phrase_model import PhraseModel
from tatumflow.engine.planner import Planner
from tatumflow.engine.roll import Roll
from tatumflow.engine.scheduler import Scheduler
from tatumflow.engine.session import ModelSession
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turn_report import TurnReport

KEYS_CHANNEL: Final = 1
"""Channel at the scheduler of notes from the computer keyboard, which have no port to sound through."""

THINK_AHEAD: Final = 0.2
"""Seconds of silence before a turn that are spent on planning it."""

OVERHANG: Final = 1.0
"""Beats into the companion's bars in which the human may end a phrase without taking the turn back."""

LATEST_ENTRY: Final = 1.0
"""Beats after its bar line at which the companion still enters, if something has held it up."""

_MOST_NOTICES: Final = 32
_MOST_TURNS: Final = 1000

_CLOCK_EVENTS: Final = (ClockTick, ClockStart, ClockContinue, ClockStop, SongPosition, BeatReport)
_CLOCK_CONTROLS: Final = ("clock", "tempo", "trade_bars")
_FEEL_CONTROLS: Final = ("swing", "grid_pull")
_OWN_CONTROLS: Final = ("count_in", "metronome", "clock_out")

CompanionCommand = SetControl | Panic | TakeTurn | YieldTurn | PlayKey | TapTempo | BeginBars


class Companion:
    """Listens, thinks ahead while the phrase may be over, plays.

    *listening*: every note is fed to the model as it happens. *thinking*: the keys are up and the turn is
    about to come; the answer is planned as if it did, and taken back without a trace if the human goes on.
    *playing*: the plan is extended and handed to the scheduler. A key pressed meanwhile takes the turn back
    at once: sounding notes are closed, the rest is withdrawn, and the model keeps what was heard.

    Where turns are traded, bars decide: the answer is planned before its bar line, begins on it and ends on
    one. A phrase that hangs over the line by a beat takes nothing back, later notes do, until the next turn.

    Not thread-safe: one loop calls `handle`, `command`, `advance` and `snapshot`. What the human plays on a
    port sounds without the companion; a `PlayKey` it plays on `KEYS_CHANNEL`.

    Attributes:
        turns: Reports of the last 1,000 turns.
    """

    def __init__(
        self,
        session: ModelSession,
        scheduler: Scheduler,
        clock: Clock,
        controls: Controls,
        style_weights: Callable[[Controls], Floats],
        phrases: PhraseModel | None = None,
    ) -> None:
        """Begin to listen.

        Args:
            session: An empty context.
            scheduler: Takes the companion's notes.
            clock: The clock that events are stamped with.
            controls: Initial controls.
            style_weights: Weights over the style table, (S,), for controls.
            phrases: Draws the conditions of the companion's phrases; without one they have none.

        Raises:
            SettingError: if `controls` name a style the model does not know.
        """
        self.turns: deque[TurnReport] = deque(maxlen=_MOST_TURNS)
        self._session = session
        self._scheduler = scheduler
        self._clock = clock
        self._controls = controls
        self._style_weights = style_weights
        self._style = style_weights(controls)
        self._roll = Roll()
        self._listener = Listener(session, self._roll)
        self._notices: deque[Notice] = deque(maxlen=_MOST_NOTICES)
        self._state: Turn = "listening"
        self._stopped = False
        self._turn_at = 0.0
        self._turn_index = 0
        self._call = Phrase((), 0.0, 0.0, 0.0)
        self._planned_ahead = False
        self._first_note_ms: float | None = None
        self._alone = controls.mode == "improvise"
        session.turn(Role.HUMAN, self._style)
        self._planner = Planner(session, scheduler, clock, None if phrases is None else PhraseGuide(phrases))
        self._chart: ChartInTime | None = None
        self._bars: tuple[float, float] | None = None
        self._entered = -1.0
        self._time = Timekeeper(scheduler, controls, clock.now())
        self._use_chart()
        if controls.trade_bars:
            self._time.begin_bars(clock.now())
        self._use_feel()

    @property
    def controls(self) -> Controls:
        """Controls in force."""
        return self._controls

    @property
    def turn(self) -> Turn:
        """What the companion is doing."""
        return self._state

    def handle(self, event: InputEvent) -> None:
        """Take what the human plays and what a clock says, in the order it happened."""
        if self._stopped:
            return
        if isinstance(event, _CLOCK_EVENTS):
            if self._time.hear(event):
                self._keep_time()
            return
        struck = isinstance(event, NoteOn) and event.velocity > 0
        hangs_over = struck and self._hangs_over(event.time)
        if hangs_over:
            self._planner.make_room()
        elif struck:
            self._give_way()
        self._listener.hear(event)
        if hangs_over:
            self._planner.heard(event.time)
        if self._state == "thinking" and self._bars is None and self._free_turn_due != self._turn_at:
            self._abandon()

    def command(self, command: CompanionCommand) -> None:
        """Do what the player asks; what cannot be done becomes a `Notice`."""
        if self._stopped:
            return
        match command:
            case SetControl(name=name, value=value):
                self._set_control(name, value)
            case PlayKey():
                self._play_key(command)
            case TakeTurn():
                self._take_turn()
            case YieldTurn():
                self._give_way()
                self._listener.next_phrase()
            case Panic():
                self._panic()
            case TapTempo(time=time):
                self._tap(time)
            case BeginBars() if self._controls.clock == "internal":
                self._time.begin_bars(self._clock.now())
                self._keep_time()
            case BeginBars():
                text = "the bars are those of the clock outside: begin them there"
                self._notices.append(Notice(self._clock.now(), text))

    def advance(self) -> float | None:
        """Do the work that is due, at most one drawn note of it.

        Returns:
            Seconds at which to be called again, perhaps already past; None if only an event or a command
            makes new work.
        """
        if self._stopped:
            return None
        now = self._clock.now()
        self._listener.end_keys(now)
        if self._time.lose(now):
            self._notices.append(Notice(now, "MIDI clock has stopped without saying so", "warning"))
            self._keep_time()
        beat = self._time.advance(now)
        wake = self._listen(now) if self._state == "listening" else self._play(now)
        times = (wake, self._listener.next_key_end, beat)
        return min((time for time in times if time is not None), default=None)

    def snapshot(self) -> Snapshot:
        """Return the state for the screen. Each notice appears in one snapshot only."""
        now = self._clock.now()
        planner = self._planner
        notes = self._roll.view(now, planner.planned)
        notices, self._notices = tuple(self._notices), deque(maxlen=_MOST_NOTICES)
        return Snapshot(
            time=now,
            turn=self._state,
            controls=self._controls,
            notes=notes,
            held=tuple(sorted({(note.role, note.pitch) for note in notes if note.duration is None})),
            health=Health(
                send_lateness_p99_ms=1000 * self._scheduler.lateness.percentile(99),
                note_cost_p50_ms=1000 * planner.note_cost.percentile(50),
                first_note_ms=self._first_note_ms,
                late_notes=self._scheduler.late_notes,
                model_faults=planner.faults + self._listener.faults,
            ),
            position=self._time.position(now),
            notices=notices,
        )

    def silence(self) -> None:
        """Silence everything and stop for good; for exits and crashes, so it touches the model no more."""
        self._stopped = True
        self._scheduler.panic()
        self._state = "listening"

    @property
    def _mode(self) -> Mode:
        return mode_named(self._controls.mode)

    @property
    def _free_turn_due(self) -> float | None:
        """Seconds at which the turn comes by the human's silence."""
        return self._listener.turn_due(self._mode.patience)

    def _next_bars(self, now: float) -> tuple[float, float] | None:
        """Return the first and the last beat of the companion's next bars; None where turns are free."""
        trading = self._time.trading
        if trading is None:
            return None
        beat = self._time.transport.beat(now)
        first = trading.next_entry(max(beat - LATEST_ENTRY, self._entered + LATEST_ENTRY))
        return first, trading.companion_end(first)

    def _listen(self, now: float) -> float | None:
        bars = self._next_bars(now)
        if bars is None and self._controls.mode == "improvise" and self._alone:
            self._take_turn()
            return now
        more = self._listener.prefill()
        if bars is None:
            due = self._free_turn_due
        else:
            # By then its first note must be on its way to the scheduler.
            due = self._time.transport.time(bars[0]) - max(self._controls.lookahead, LEAD)
        if due is not None and now >= due - THINK_AHEAD:
            self._think(max(due, now), bars)
            return now
        return now if more else None if due is None else due - THINK_AHEAD

    def _think(self, turn_at: float, bars: tuple[float, float] | None = None) -> None:
        """Plan a turn that comes at `turn_at` seconds, held to the beats between `bars` if they are given."""
        self._call = self._listener.phrase(self._clock.now())
        self._turn_at = turn_at
        self._bars = bars
        if self._controls.mode == "improvise" and not self._time.in_tempo:
            self._time.begin_at(turn_at + LEAD)
        self._planner.begin(
            self._frame(),
            self._call,
            self._controls,
            self._style,
            previous_onset=self._listener.last_onset,
            seed=(self._controls.seed, self._turn_index),
            policy=self._mode.phrases,
            chart=self._chart,
        )
        self._state = "thinking"

    def _frame(self) -> TurnPlan:
        """Return the frame of the turn at hand, by the clock as it is now."""
        frame = self._mode.plan(self._call, self._controls, self._turn_at)
        if self._bars is not None:
            start, end = (self._time.transport.time(beat) for beat in self._bars)
            return frame.between(max(start, self._turn_at + LEAD), end)
        if self._controls.mode == "improvise" and self._time.in_tempo:
            start = self._time.next_bar(frame.earliest)
            return replace(frame, earliest=start, latest_first=start)
        return frame

    def _hangs_over(self, time: float) -> bool:
        """Return whether a note at `time` seconds ends a phrase of the human's in the companion's bars."""
        if self._state != "playing" or self._bars is None or self._bars[0] != self._entered:
            return False
        return self._time.transport.beat(time) < self._entered + OVERHANG

    def _abandon(self) -> None:
        self._planner.abandon()
        self._state = "listening"

    def _begin_turn(self) -> None:
        self._alone = False
        self._planned_ahead = self._planner.first_onset is not None
        self._first_note_ms = 0.0 if self._planned_ahead else self._first_note_ms
        self._turn_index += 1
        if self._bars is not None:
            self._entered = self._bars[0]
        self._listener.next_phrase()
        self._state = "playing"

    def _play(self, now: float) -> float | None:
        planner = self._planner
        if self._state == "thinking" and now >= self._turn_at:
            self._begin_turn()
        if self._bars is not None:
            planner.hold_to(self._time.transport.time(self._bars[1]))
        more = planner.extend(now)
        if self._state == "thinking":
            return now if more else self._turn_at
        now = self._clock.now()
        self._roll.play(planner.commit(now))
        if not self._planned_ahead and planner.first_note_ms is not None:
            self._first_note_ms = planner.first_note_ms
        if planner.failure:
            text = f"{planner.failure}; the companion stops playing"
            self._notices.append(Notice(now, text, "error"))
            self._give_way()
            return now
        if planner.done_at is not None and now >= planner.done_at:
            self._end_turn(now)
            return now
        return now if more else planner.next_wake()

    def _give_way(self) -> None:
        """Take back what was planned; if it plays, stop and leave the turn to the human."""
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing":
            now = self._clock.now()
            self._roll.cut(now, self._planner.cut(now))
            self._end_turn(now)

    def _end_turn(self, now: float) -> None:
        planner = self._planner
        self.turns.append(
            TurnReport(
                call_start=self._call.start,
                call_end=self._call.end,
                turn=self._turn_at,
                first_onset=planner.first_onset,
                end=now,
                notes=planner.notes,
                compute_ms=planner.first_note_ms,
                planned_ahead=self._planned_ahead,
            )
        )
        if planner.notes:
            self._listener.last_onset = planner.previous_onset
        self._session.turn(Role.HUMAN, self._style)
        self._state = "listening"

    def _take_turn(self) -> None:
        if self._state != "playing":
            self._give_way()
            now, trading = self._clock.now(), self._time.trading
            beat = self._time.transport.beat(now)
            self._think(now, None if trading is None else (beat, trading.companion_end(beat)))
            self._begin_turn()

    def _set_control(self, name: str, value: object) -> None:
        try:
            controls = self._controls.changed(name, value)
            style = self._style_weights(controls)
        except SettingError as error:
            self._notices.append(Notice(self._clock.now(), str(error), "warning"))
            return
        new_mode = controls.mode != self._controls.mode
        self._alone = self._alone or (new_mode and controls.mode == "improvise")
        before, self._controls, self._style = self._controls, controls, style
        if name in (*_CLOCK_CONTROLS, *_FEEL_CONTROLS, *_OWN_CONTROLS, "chords"):
            self._use_time(before)
        if name in (*_FEEL_CONTROLS, *_OWN_CONTROLS):
            return
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and name == "lookahead":
            self._planner.use_lookahead(controls.lookahead)
        elif self._state == "playing":
            frame = self._frame() if new_mode or self._bars is not None else None
            seed = (controls.seed, self._turn_index) if name == "seed" else None
            policy = self._mode.phrases
            self._planner.steer(controls, style, frame=frame, seed=seed, policy=policy, chart=self._chart)

    def _use_time(self, before: Controls) -> None:
        """Let the clock and the chart be those of the controls, which were others before."""
        now, controls = self._clock.now(), self._controls
        self._use_chart()
        self._use_feel()
        if controls.trade_bars and not before.trade_bars and controls.clock == "internal":
            self._time.begin_bars(now)
        elif controls.tempo != before.tempo and self._time.in_tempo:
            self._time.transport.use_tempo(controls.tempo, now)
        elif (controls.chords, controls.tempo) != (before.chords, before.tempo) and not self._time.in_tempo:
            self._time.begin_at(now)
        if (controls.trade_bars, controls.clock) != (before.trade_bars, before.clock):
            self._keep_time()

    def _use_chart(self) -> None:
        """Let the chart of the controls hold for what either player plays from now on."""
        chart = chart_named(self._controls.chords) if self._controls.chords else None
        self._time.use(self._controls, chart)
        self._chart = None if chart is None else ChartInTime(chart, self._time.transport)
        self._session.follow_chords(None if self._chart is None else self._chart.chord_id_at)

    def _use_feel(self) -> None:
        self._planner.use_feel(self._time.felt if self._time.feels else None)

    def _keep_time(self) -> None:
        """Give up what was planned by a clock that has jumped, stopped or begun."""
        self._entered = -1.0
        self._use_feel()
        improvises = self._controls.mode == "improvise"
        by_the_clock = self._time.in_tempo or self._controls.clock != "internal"
        self._alone = self._alone or (improvises and self._time.in_tempo)
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and (self._bars is not None or (improvises and by_the_clock)):
            self._give_way()

    def _tap(self, time: float) -> None:
        """Take the tempo from taps, and the beat from the last of them where the beat is our own."""
        tempo = self._time.tap(time)
        if tempo is None or self._controls.clock != "internal":
            return
        self._set_control("tempo", round(tempo, 1))
        if self._time.in_tempo:
            self._time.transport.put_beat(time)

    def _play_key(self, key: PlayKey) -> None:
        now = self._clock.now()
        self.handle(NoteOn(now, key.pitch, key.velocity))
        self._scheduler.note(Note(now, key.duration, key.pitch, key.velocity), KEYS_CHANNEL)
        self._listener.end_key_at(now + key.duration, key.pitch)

    def _panic(self) -> None:
        try:
            self._give_way()
            self._listener.release(self._clock.now())
        finally:
            self._scheduler.panic()
