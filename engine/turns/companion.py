"""The companion: hears every note, decides whose turn it is, and plays when it is its own."""

from collections.abc import Callable, Sequence
from typing import Final

from tatumflow.engine.arrays import Floats
from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import (
    BeginBars,
    Panic,
    PassTurn,
    PlayKey,
    SetControl,
    Snapshot,
    TakeTurn,
    TapTempo,
    Turn,
    YieldTurn,
)
from tatumflow.engine.midi.events import (
    InputEvent,
    NoteOn,
    TimeEvent,
)
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.phrases.phrase_guide import PhraseGuide
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.listener import Listener
from tatumflow.engine.turns.live_controls import ControlsSet, LiveControls
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.roll import Roll
from tatumflow.engine.turns.status_board import StatusBoard
from tatumflow.engine.turns.turn_report import TurnReport, TurnReporter
from tatumflow.engine.turns.turn_taking import Bars, CompanionTurn, TurnTaking
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS

KEYS_CHANNEL: Final = 1
"""Channel at the scheduler of notes from the computer keyboard, which have no port to sound through."""

THINK_AHEAD: Final = 0.2
"""Seconds of silence before a turn that are spent on planning it."""

REDRAW_SPACING: Final = 0.1
"""Seconds between two redraws of what is planned, at the least: a knob that is turned must leave time to draw
notes."""

CompanionCommand = SetControl | Panic | TakeTurn | YieldTurn | PassTurn | PlayKey | TapTempo | BeginBars


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
        self._session = session
        self._scheduler = scheduler
        self._clock = clock
        self._roll = Roll()
        self._listener = Listener(session, self._roll)
        self._planner = Planner(session, scheduler, clock, None if phrases is None else PhraseGuide(phrases))
        self._time = Timekeeper(scheduler, controls, now)
        self._live = LiveControls(controls, style_weights, self._time, session, self._planner)
        self._turn_taking = TurnTaking(self._listener, self._time, controls)
        self._reporter = TurnReporter(self._planner)
        self._board = StatusBoard(
            self._roll, self._listener, self._planner, self._reporter, scheduler, self._time
        )
        self._state: Turn = "listening"
        self._stopped = False
        self._turn = CompanionTurn(Phrase((), now, now, 0.0), now)
        self._redraw: ControlsSet | None = None
        self._redraw_from = now
        session.begin_turn(Role.HUMAN, self._live.style)

    @property
    def controls(self) -> Controls:
        """Controls in force."""
        return self._live.values

    @property
    def turn(self) -> Turn:
        """What the companion is doing."""
        return self._state

    @property
    def turns(self) -> Sequence[TurnReport]:
        """Reports of the last 1,000 turns."""
        return self._reporter.reports

    def handle(self, event: InputEvent) -> None:
        """Take what the human plays and what a clock says, in the order it happened."""
        if self._stopped:
            return
        if isinstance(event, TimeEvent):
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
        if isinstance(event, NoteOn) and event.velocity > 0:
            self._time.hear_note(event)
        self._listener.hear(event, self._clock.now() - event.time)
        if hangs_over:
            self._planner.heard(event.time)
        if self._state == "thinking" and self._turn_taking.is_put_off(self._turn):
            self._abandon()

    def command(self, command: CompanionCommand) -> None:
        """Do what the player asks; what cannot be done becomes a `Notice`."""
        if self._stopped:
            return
        match command:
            case SetControl():
                self.set_controls((command,))
            case PlayKey():
                self._play_key(command)
            case TakeTurn():
                self._take_turn()
            case PassTurn() if self._state != "playing":
                self._take_turn()
            case YieldTurn() | PassTurn():
                self._give_way()
                self._listener.next_phrase()
            case Panic():
                self._panic()
            case TapTempo(time=time):
                self._tap(time)
            case BeginBars() if self.controls.clock == "internal":
                self._time.begin_bars(self._clock.now())
                self._keep_time()
            case BeginBars() if self.controls.clock == "listen":
                self._board.notify(self._clock.now(), "the bars are those of your playing: keep time")
            case BeginBars():
                text = "the bars are those of the clock outside: begin them there"
                self._board.notify(self._clock.now(), text)

    def set_controls(self, commands: Sequence[SetControl]) -> None:
        """Set controls together, as one change; what is refused becomes a `Notice` each.

        What is planned is drawn again at most every `REDRAW_SPACING` seconds, under the newest values; notes
        drawn meanwhile follow them at once.
        """
        if self._stopped:
            return
        now = self._clock.now()
        changed = self._live.set_many([(command.name, command.value) for command in commands], now)
        for text in changed.refused:
            self._board.notify(now, text, "warning")
        if not changed.names:
            return
        self._turn_taking.use(self.controls)
        if changed.new_bars:
            self._keep_time()
        if self._state != "listening" and "lookahead" in changed.names:
            self._planner.use_lookahead(self.controls.lookahead)
        if changed.redraws and self._state != "listening":
            self._redraw = changed if self._redraw is None else self._redraw.and_then(changed)
            if self._state == "playing":
                self._planner.use_controls(self.controls)
            self._redraw_if_due(now)

    def use_model(
        self,
        decoder: Decoder,
        controls: Controls,
        style_weights: Callable[[Controls], Floats],
        phrases: PhraseModel | None = None,
    ) -> None:
        """Go on with another model, which hears first what was played lately. What sounds goes on sounding.

        Args:
            decoder: The other model.
            controls: Those in force, with styles that it knows.
            style_weights: Weights over its style table, (S,), for controls.
            phrases: Its conditions of phrases.

        Raises:
            ValueError: if the companion has the turn: its notes are the model's that began it.
            SettingError: if the model does not know the styles; the one before stays then.
        """
        if self._state == "playing":
            raise ValueError("a model is exchanged between turns, not while the companion plays")
        if self._state == "thinking":
            self._abandon()
        self._live.use_model(controls, style_weights)
        self._session.use_decoder(decoder, self._live.style)
        self._planner.use_guide(None if phrases is None else PhraseGuide(phrases))

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
        if self._time.listen(now):
            self._keep_time()
        beat = self._time.advance(now)
        self._redraw_if_due(now)
        wake = self._listen(now) if self._state == "listening" else self._play(now)
        redraw = None if self._redraw is None else max(self._redraw_from, now)
        times = (wake, self._listener.next_key_end, beat, redraw)
        return min((time for time in times if time is not None), default=None)

    def snapshot(self) -> Snapshot:
        """Return the state for the screen. Each notice appears in one snapshot only."""
        return self._board.snapshot(self._clock.now(), self._state, self.controls)

    def silence(self) -> None:
        """Silence everything and stop for good; for exits and crashes, so it touches the model no more."""
        self._stopped = True
        self._scheduler.panic()
        self._state = "listening"

    @property
    def _seed(self) -> tuple[int, int]:
        """Seed of the chance of the turn at hand."""
        return self.controls.seed, self._reporter.begun

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
        controls = self.controls
        # What is drawn now is drawn by the newest values.
        self._redraw = None
        if controls.mode == "improvise" and not self._time.in_tempo:
            self._time.begin_at(at + ENTRY_SECONDS)
        self._planner.begin(
            self._turn_taking.window(self._turn),
            self._turn.call,
            controls,
            self._live.style,
            previous_onset=self._listener.last_onset,
            seed=self._seed,
            policy=mode_named(controls.mode).phrases,
            chart=self._time.chart,
        )
        self._state = "thinking"

    def _abandon(self) -> None:
        self._planner.abandon()
        self._state = "listening"

    def _begin_turn(self) -> None:
        self._reporter.begin()
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
        self._reporter.look()
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
        self._reporter.end(self._turn, now)
        if self._planner.notes:
            self._listener.last_onset = self._planner.previous_onset
        self._session.begin_turn(Role.HUMAN, self._live.style)
        self._state = "listening"

    def _take_turn(self) -> None:
        if self._state != "playing":
            self._give_way()
            now = self._clock.now()
            self._think(now, self._turn_taking.bars_from(now))
            self._begin_turn()

    def _redraw_if_due(self, now: float) -> None:
        """Draw the turn at hand again by the controls that were set, unless that was done just now."""
        if self._redraw is None or now < self._redraw_from:
            return
        changed, self._redraw = self._redraw, None
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing":
            self._steer(changed)
        else:
            return
        # From the end of a redraw, which takes time itself.
        self._redraw_from = self._clock.now() + REDRAW_SPACING

    def _steer(self, changed: ControlsSet) -> None:
        controls = self.controls
        if not changed.redraws_condition:
            self._planner.resample(controls)
            return
        new_window = changed.new_mode or "phrases" in changed.names or self._turn.bars is not None
        self._planner.steer(
            controls,
            self._live.style,
            window=self._turn_taking.window(self._turn) if new_window else None,
            seed=self._seed if "seed" in changed.names else None,
            policy=mode_named(controls.mode).phrases,
            chart=self._time.chart,
        )

    def _keep_time(self) -> None:
        """Give up what was planned by a clock that has jumped, stopped or begun."""
        self._turn_taking.restart()
        self._live.follow_time()
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and self._turn_taking.goes_by_clock(self._turn):
            self._give_way()

    def _tap(self, time: float) -> None:
        """Take the tempo from taps, and the beat from the last of them where the beat is our own."""
        tempo = self._time.tap(time)
        if tempo is None or self.controls.clock != "internal":
            return
        self.set_controls((SetControl("tempo", round(tempo, 1)),))
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
