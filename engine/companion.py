"""The companion: hears every note, decides whose turn it is, and plays when it is its own."""

from collections import deque
from collections.abc import Callable
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls
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
from tatumflow.engine.listener import Listener
from tatumflow.engine.messages import (
    BeginBars,
    Panic,
    PlayKey,
    SetControl,
    Snapshot,
    TakeTurn,
    TapTempo,
    Turn,
    YieldTurn,
)
from tatumflow.engine.modes import LEAD, mode_named
from tatumflow.engine.notes import Note, Role
from tatumflow.engine.phrase import Phrase
from tatumflow.engine.phrase_guide import PhraseGuide
from tatumflow.engine.phrase_model import PhraseModel
from tatumflow.engine.planner import Planner
from tatumflow.engine.roll import Roll
from tatumflow.engine.scheduler import Scheduler
from tatumflow.engine.session import ModelSession
from tatumflow.engine.status_board import StatusBoard
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turn_report import TurnReport
from tatumflow.engine.turn_taking import Bars, CompanionTurn, TurnTaking

KEYS_CHANNEL: Final = 1
"""Channel at the scheduler of notes from the computer keyboard, which have no port to sound through."""

THINK_AHEAD: Final = 0.2
"""Seconds of silence before a turn that are spent on planning it."""

_MOST_TURNS: Final = 1000

_CLOCK_EVENTS: Final = (ClockTick, ClockStart, ClockContinue, ClockStop, SongPosition, BeatReport)
_SOUND_CONTROLS: Final = ("swing", "grid_pull", "count_in", "metronome", "clock_out")
_TIME_CONTROLS: Final = (*_SOUND_CONTROLS, "clock", "tempo", "trade_bars", "chords")

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
        now = clock.now()
        self.turns: deque[TurnReport] = deque(maxlen=_MOST_TURNS)
        self._session = session
        self._scheduler = scheduler
        self._clock = clock
        self._controls = controls
        self._style_weights = style_weights
        self._style = style_weights(controls)
        self._roll = Roll()
        self._listener = Listener(session, self._roll)
        self._planner = Planner(session, scheduler, clock, None if phrases is None else PhraseGuide(phrases))
        self._time = Timekeeper(scheduler, controls, now)
        self._turn_taking = TurnTaking(self._listener, self._time, controls)
        self._board = StatusBoard(self._roll, self._listener, self._planner, scheduler, self._time)
        self._state: Turn = "listening"
        self._stopped = False
        self._turn = CompanionTurn(Phrase((), now, now, 0.0), now)
        self._turn_index = 0
        self._planned_ahead = False
        session.turn(Role.HUMAN, self._style)
        self._follow_time()

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
        hangs_over = (
            struck and self._state == "playing" and self._turn_taking.hangs_over(self._turn, event.time)
        )
        if hangs_over:
            self._planner.make_room()
        elif struck:
            self._give_way()
        self._listener.hear(event)
        if hangs_over:
            self._planner.heard(event.time)
        if self._state == "thinking" and self._turn_taking.is_put_off(self._turn):
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
                self._board.notify(self._clock.now(), text)

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
            self._board.notify(now, "MIDI clock has stopped without saying so", "warning")
            self._keep_time()
        beat = self._time.advance(now)
        wake = self._listen(now) if self._state == "listening" else self._play(now)
        times = (wake, self._listener.next_key_end, beat)
        return min((time for time in times if time is not None), default=None)

    def snapshot(self) -> Snapshot:
        """Return the state for the screen. Each notice appears in one snapshot only."""
        return self._board.snapshot(self._clock.now(), self._state, self._controls)

    def silence(self) -> None:
        """Silence everything and stop for good; for exits and crashes, so it touches the model no more."""
        self._stopped = True
        self._scheduler.panic()
        self._state = "listening"

    def _listen(self, now: float) -> float | None:
        bars = self._turn_taking.next_bars(now)
        if self._turn_taking.comes_unasked(bars):
            self._take_turn()
            return now
        more = self._listener.prefill()
        due = self._turn_taking.due(bars)
        if due is not None and now >= due - THINK_AHEAD:
            self._think(max(due, now), bars)
            return now
        return now if more else None if due is None else due - THINK_AHEAD

    def _think(self, at: float, bars: Bars | None) -> None:
        """Plan a turn that comes at `at` seconds, held to `bars` if they are given."""
        self._turn = CompanionTurn(self._listener.phrase(self._clock.now()), at, bars)
        if self._controls.mode == "improvise" and not self._time.in_tempo:
            self._time.begin_at(at + LEAD)
        self._planner.begin(
            self._turn_taking.frame(self._turn),
            self._turn.call,
            self._controls,
            self._style,
            previous_onset=self._listener.last_onset,
            seed=(self._controls.seed, self._turn_index),
            policy=mode_named(self._controls.mode).phrases,
            chart=self._time.chart,
        )
        self._state = "thinking"

    def _abandon(self) -> None:
        self._planner.abandon()
        self._state = "listening"

    def _begin_turn(self) -> None:
        self._planned_ahead = self._planner.first_onset is not None
        if self._planned_ahead:
            self._board.first_note_ms = 0.0
        self._turn_index += 1
        self._turn_taking.enter(self._turn)
        self._listener.next_phrase()
        self._state = "playing"

    def _play(self, now: float) -> float | None:
        planner = self._planner
        if self._state == "thinking" and now >= self._turn.at:
            self._begin_turn()
        if (end := self._turn_taking.end(self._turn)) is not None:
            planner.hold_to(end)
        more = planner.extend(now)
        if self._state == "thinking":
            return now if more else self._turn.at
        now = self._clock.now()
        self._roll.play(planner.commit(now))
        if not self._planned_ahead and planner.first_note_ms is not None:
            self._board.first_note_ms = planner.first_note_ms
        if planner.failure:
            self._board.notify(now, f"{planner.failure}; the companion stops playing", "error")
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
                call_start=self._turn.call.start,
                call_end=self._turn.call.end,
                turn=self._turn.at,
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
            now = self._clock.now()
            self._think(now, self._turn_taking.bars_from(now))
            self._begin_turn()

    def _set_control(self, name: str, value: object) -> None:
        now, before = self._clock.now(), self._controls
        try:
            controls = before.changed(name, value)
            style = self._style_weights(controls)
        except SettingError as error:
            self._board.notify(now, str(error), "warning")
            return
        self._controls, self._style = controls, style
        self._turn_taking.use(controls)
        other_bars = self._time.use(controls, now)
        if name in _TIME_CONTROLS:
            self._follow_time()
        if other_bars:
            self._keep_time()
        if name not in _SOUND_CONTROLS:
            self._steer(name, new_mode=controls.mode != before.mode)

    def _steer(self, name: str, *, new_mode: bool) -> None:
        """Let the turn at hand go on as a control that has changed wants it."""
        controls = self._controls
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and name == "lookahead":
            self._planner.use_lookahead(controls.lookahead)
        elif self._state == "playing":
            self._planner.steer(
                controls,
                self._style,
                frame=self._turn_taking.frame(self._turn) if new_mode or self._turn.bars else None,
                seed=(controls.seed, self._turn_index) if name == "seed" else None,
                policy=mode_named(controls.mode).phrases,
                chart=self._time.chart,
            )

    def _follow_time(self) -> None:
        """Let the model hear the chords and the plan sound by the time that is kept now."""
        chart = self._time.chart
        self._session.follow_chords(None if chart is None else chart.chord_id_at)
        self._planner.use_feel(self._time.felt if self._time.feels else None)

    def _keep_time(self) -> None:
        """Give up what was planned by a clock that has jumped, stopped or begun."""
        self._turn_taking.restart()
        self._follow_time()
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and self._turn_taking.goes_by_clock(self._turn):
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
