"""The companion: listens, decides whose turn it is, and plays in its own turns."""

from collections.abc import Sequence
from math import inf
from time import perf_counter_ns
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls
from tatumflow.engine.melodies.melody_model import MelodyModel
from tatumflow.engine.messages import (
    BeginBars,
    CompanionCommand,
    EndTune,
    GoToBar,
    GoToSection,
    Panic,
    PassTurn,
    PlayKey,
    SetControl,
    Snapshot,
    StopBars,
    TakeTurn,
    TapTempo,
    Turn,
    YieldTurn,
)
from tatumflow.engine.midi.events import InputEvent, NoteOn, TimeEvent
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.style_table import StyleTable
from tatumflow.engine.phrases.phrase_guide import PhraseGuide
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.heard_harmony import HeardHarmony
from tatumflow.engine.turns.heard_loop import HeardLoop
from tatumflow.engine.turns.lead_in import put_lead_in
from tatumflow.engine.turns.listener import Listener
from tatumflow.engine.turns.live_controls import ControlsSet, LiveControls
from tatumflow.engine.turns.morphing import Morphing
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.planner import COMPANION_CHANNEL, Planner
from tatumflow.engine.turns.redraws import Redraws
from tatumflow.engine.turns.roll import Roll
from tatumflow.engine.turns.silent_line import SilentLine
from tatumflow.engine.turns.status_board import StatusBoard
from tatumflow.engine.turns.turn_report import TurnReport, TurnReporter
from tatumflow.engine.turns.turn_requests import TurnRequests
from tatumflow.engine.turns.turn_taking import Bars, CompanionTurn, TurnTaking
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS

KEYS_CHANNEL: Final = 1
"""Scheduler channel of notes from the computer keyboard, which have no port to sound through."""

THINK_AHEAD: Final = 0.2
"""Seconds before a turn, during the silence, at which its planning starts."""

_OTHER_FORM: Final = ControlsSet(frozenset({"choruses"}))
"""What a turn is planned again for where the form goes on elsewhere or ends."""

_OF_WINDOWS: Final = frozenset({"phrases", *_OTHER_FORM.names})
"""Controls that change the window of a free turn in progress."""


class Companion:
    """Listens, plans ahead while the human's phrase may be over, and plays.

    *listening*: every note enters the model's context as it happens. *thinking*: the keys are up and the turn
    is about to come; the answer is planned, and rolled back if the human goes on. *playing*: the plan is
    extended and committed. A key pressed meanwhile passes the turn back at once: sounding notes are closed,
    the rest is withdrawn, and the context keeps what sounded.

    Where bars are traded, the answer is planned before its bar line, begins on it and ends on one. A phrase
    may hang over the line by a beat; later notes take the turn back, until the companion's next bars.

    Not thread-safe: one loop calls `handle`, `command`, `advance` and `snapshot`.
    """

    def __init__(
        self,
        session: ModelSession,
        scheduler: Scheduler,
        clock: Clock,
        controls: Controls,
        styles: StyleTable,
        phrases: PhraseModel | None = None,
        melodies: MelodyModel | None = None,
    ) -> None:
        """Begin to listen.

        Args:
            session: An empty context.
            scheduler: Sends the companion's notes.
            clock: The clock of the events' times.
            controls: Initial controls.
            styles: The model's styles.
            phrases: Samples the conditions of the companion's phrases; without one they have none.
            melodies: Morphs between phrases in the mode *morph*; without one that plays as *answer*.

        Raises:
            SettingError: if `controls` name a style that the model does not have.
        """
        now = clock.now()
        self._session = session
        self._scheduler = scheduler
        self._clock = clock
        self._roll = Roll()
        self._harmony = HeardHarmony(controls)
        self._listener = Listener(session, self._roll, self._harmony)
        self._planner = Planner(session, scheduler, clock, None if phrases is None else PhraseGuide(phrases))
        self._time = Timekeeper(scheduler, controls, now)
        self._loop = HeardLoop(self._harmony, self._time)
        self._live = LiveControls(controls, styles, self._time, session, self._planner, self._harmony)
        self._turn_taking = TurnTaking(self._listener, self._time, controls)
        self._morphing = Morphing(self._time, melodies)
        self._requests = TurnRequests(
            self._live, self._turn_taking, self._listener, self._time, self._harmony, self._morphing
        )
        self._reporter = TurnReporter(self._planner)
        self._board = StatusBoard(
            self._roll,
            self._listener,
            self._planner,
            self._reporter,
            scheduler,
            self._time,
            self._harmony,
        )
        self._state: Turn = "listening"
        self._stopped = False
        self._heads = False
        self._turn = CompanionTurn(Phrase((), now, now, 0.0), now)
        self._redraws = Redraws(now)
        self._silent_line = SilentLine(session)
        session.begin_turn(Role.HUMAN, self._live.style)
        self._tell_obstacle(now)

    @property
    def controls(self) -> Controls:
        """Controls in force."""
        return self._live.values

    @property
    def form_begins(self) -> float:
        """Seconds of the first beat of the form, on the clock as it is now."""
        return self._time.transport.time(0.0)

    @property
    def time_in_force(self) -> TimeInForce:
        """The beat and the chart at present."""
        return self._time.in_force

    def end_tune(self, time: float) -> float | None:
        """Let the band end on a bar line at `time` seconds or later; see `Timekeeper.end_tune`."""
        return self._time.end_tune(time)

    @property
    def turn(self) -> Turn:
        """Whether the companion is listening, thinking or playing, the head included."""
        return "playing" if self._heads else self._state

    @property
    def turns(self) -> Sequence[TurnReport]:
        """Reports of the last 1,000 turns, oldest first."""
        return self._reporter.reports

    def handle(self, event: InputEvent) -> None:
        """Handle an event of the human's playing or of a clock; events come in the order of their times."""
        if self._stopped:
            return
        if isinstance(event, TimeEvent):
            if self._time.handle(event):
                self._keep_time()
            return
        struck = isinstance(event, NoteOn) and event.velocity > 0
        playing = self._state == "playing"
        hangs_over = struck and playing and self._turn_taking.hangs_over(self._turn, event.time)
        if hangs_over:
            self._planner.make_room()
        elif struck:
            self._give_way()
        if isinstance(event, NoteOn) and event.velocity > 0:
            self._time.add_note(event)
            self._lead_in(event.time)
            self._silent_line.strike(event.time)
        self._listener.handle(event, self._clock.now() - event.time)
        if hangs_over:
            self._planner.go_on_after(event.time)
        if self._state == "thinking" and self._turn_taking.is_put_off(self._turn):
            self._abandon()

    def command(self, command: CompanionCommand) -> None:
        """Carry out a command of the user's; one that is impossible becomes a `Notice`."""
        if self._stopped:
            return
        match command:
            case SetControl():
                self.set_controls((command,))
            case PlayKey():
                self._play_key(command)
            case TakeTurn() | PassTurn() | YieldTurn() if self._heads:
                self._board.notify(self._clock.now(), "the head is played; turns begin with the solos")
            case TakeTurn(until=until):
                self._take_turn(until)
            case PassTurn() if self._state != "playing":
                self._take_turn()
            case YieldTurn() | PassTurn():
                self._give_way()
                self._listener.next_phrase()
            case Panic():
                self._panic()
            case TapTempo(time=time):
                self._tap(time)
            case EndTune():
                self._follow_form(self._time.end_chorus(self._clock.now()))
            case GoToBar() | GoToSection():
                self._follow_form(self._time.go_to(command, self._clock.now()))
            case BeginBars() if self.controls.clock == "internal":
                self._time.begin_bars(self._clock.now())
                self._keep_time()
            case StopBars() if self.controls.clock == "internal":
                self._stop_bars()
            case BeginBars() | StopBars():
                listens = self.controls.clock == "listen"
                verb = "stop" if isinstance(command, StopBars) else "start"
                source = "your playing" if listens else f"the external clock; {verb} it there"
                hint = "; keep time" if listens and verb == "start" else ""
                self._board.notify(self._clock.now(), f"the bars follow {source}{hint}")

    def set_controls(self, commands: Sequence[SetControl]) -> None:
        """Set controls together, as one change; each refused value becomes a `Notice`.

        The plan is sampled again at most every `REDRAW_SPACING` seconds, under the newest values; notes
        sampled in between follow them at once.
        """
        if self._stopped:
            return
        now = self._clock.now()
        changed = self._live.set_many([(command.name, command.value) for command in commands], now)
        for text in changed.refused:
            self._board.notify(now, text, "warning")
        if not changed.names:
            return
        if changed.names & {"mode", "chords"}:
            self._tell_obstacle(now)
        self._turn_taking.use(self.controls)
        if changed.new_bars:
            self._keep_time()
        if self._state != "listening" and "lookahead" in changed.names:
            self._planner.use_lookahead(self.controls.lookahead)
        if changed.redraws and self._state != "listening":
            self._redraws.add(changed)
            if self._state == "playing":
                self._planner.use_controls(self.controls)
            self._redraw_if_due(now)

    def use_model(
        self,
        decoder: Decoder,
        controls: Controls,
        styles: StyleTable,
        phrases: PhraseModel | None = None,
    ) -> None:
        """Replace the model and replay the last steps of the context into it. Sounding notes go on.

        Args:
            decoder: The newly loaded model.
            controls: Those in force, with styles that it has.
            styles: Its styles.
            phrases: Its phrase model.

        Raises:
            ValueError: if the companion has the turn: one model plays the whole of it.
            SettingError: if the model does not have the styles; the model before stays in force.
        """
        if self._state == "playing":
            raise ValueError("a model is replaced between turns, not while the companion plays")
        if self._state == "thinking":
            self._abandon()
        self._live.use_model(controls, styles)
        self._session.use_decoder(decoder, self._live.style)
        self._planner.use_guide(None if phrases is None else PhraseGuide(phrases))

    def advance(self) -> float | None:
        """Do the work that is due, and sample at most one note.

        Returns:
            Seconds at which to call it again, perhaps already past; None to wait for an event or a command.
        """
        if self._stopped:
            return None
        now = self._clock.now()
        self._listener.end_keys(now)
        if self._time.lose(now):
            self._board.notify(now, "MIDI clock stopped without a stop message", "warning")
            self._keep_time()
        if self._time.listen(now):
            self._keep_time()
        stopped = self._time.stopped
        beat = self._time.advance(now)
        if self._time.stopped and not stopped:
            self._rest()
        self._play_head(now)
        if (tempo := self._time.next_tempo(now)) is not None:
            self.set_controls((SetControl("tempo", tempo),))
        chord = self._harmony.advance(now)
        if self._loop.advance(now):
            self._live.follow_time()
        self._redraw_if_due(now)
        beside = self._play_silently(now) if self._state == "listening" else None
        wake = self._listen(now) if self._state == "listening" else self._play(now)
        times = (
            *(wake, beside, self._listener.next_key_end, beat, chord),
            *(self._loop.next_due(), self._redraws.next_due(now)),
        )
        return min((time for time in times if time is not None), default=None)

    def snapshot(self) -> Snapshot:
        """Return the state for the screen. Each notice appears in one snapshot only."""
        return self._board.snapshot(self._clock.now(), self.turn, self.controls)

    def silence(self) -> None:
        """Silence everything and stop for good, without a call of the model; for exits and crashes."""
        self._stopped = True
        self._scheduler.panic()
        self._state = "listening"

    @property
    def _seed(self) -> tuple[int, int]:
        """Seed of the random generators of the turn in progress."""
        return self.controls.seed, self._reporter.begun

    def _listen(self, now: float) -> float | None:
        if self._time.stopped or self._heads:
            return now if self._listener.prefill() else None
        bars = self._turn_taking.next_bars(now)
        if self._turn_taking.comes_at_once(bars):
            self._take_turn()
            return now
        more = self._listener.prefill()
        due = self._turn_taking.due(bars)
        if due is not None and now >= due - THINK_AHEAD:
            self._think(max(due, now), bars)
            return now
        return now if more else None if due is None else due - THINK_AHEAD

    def _think(self, at: float, bars: Bars | None, until: float | None = None) -> None:
        """Plan a turn that comes at `at` seconds, held to `bars`, or ended at `until` seconds, if given."""
        begun_ns, now = perf_counter_ns(), self._clock.now()
        self._turn = CompanionTurn(self._listener.phrase(now), at, bars, until)
        # The turn is planned under the newest values.
        self._redraws.clear()
        if self.controls.mode == "improvise" and not (self._time.in_tempo or self._time.stopped):
            self._time.begin_at(at + ENTRY_SECONDS)
        self._planner.begin(self._requests.request(self._turn, self._seed, now), begun_ns)
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
        committed = planner.commit(now)
        self._roll.play(committed)
        self._time.add_committed(committed)
        self._reporter.look()
        if planner.failure:
            self._board.notify(now, f"{planner.failure}; the companion stops playing", "error")
            self._give_way()
            return now
        if planner.done_at is not None and now >= planner.done_at:
            self._end_turn(now)
            return now
        return now if more else planner.next_wake()

    def _lead_in(self, at: float) -> None:
        """Put a lead-in before the first note of all, at `at` seconds: for lines in time over a chart."""
        if self._session.has_notes or not self._time.in_tempo:
            return
        chart, live = self._time.chart, self._live
        if chart is not None and live.polyphony == 1:
            put_lead_in(self._session, chart, live.values, live.style, self._seed, at)
            self._session.begin_turn(Role.HUMAN, live.style)

    def _play_silently(self, now: float) -> float | None:
        """Go on with the line beside the human's chords; return when its next note is due."""
        chart, live = self._time.chart, self._live
        if chart is None or not self._time.in_tempo or self._heads or live.polyphony > 1:
            return None
        added, due = self._silent_line.advance(now, chart, live.values, self._seed)
        if added is not None:
            self._listener.last_onset = max(self._listener.last_onset or added, added)
        return due

    def _give_way(self) -> None:
        """Roll back the plan; while playing, stop and pass the turn to the human."""
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
            self._morphing.remember(self._planner.last_notes, self._turn, self.controls)
        self._session.begin_turn(Role.HUMAN, self._live.style)
        self._state = "listening"

    def _take_turn(self, until: float | None = None) -> None:
        if until is not None:
            self._time.end_tune(until)
        if self._state != "playing":
            self._give_way()
            now = self._clock.now()
            self._think(now, self._turn_taking.bars_from(now), until)
            self._begin_turn()

    def _tell_obstacle(self, now: float) -> None:
        """Notice why the mode *morph* plays as *answer*, if it is in force and does."""
        if self.controls.mode == "morph" and (obstacle := self._morphing.obstacle):
            self._board.notify(now, obstacle, "warning")

    def _redraw_if_due(self, now: float) -> None:
        """Sample the plan again under the controls that were set, if a redraw is due."""
        changed = self._redraws.take(now)
        if changed is None or self._state == "listening":
            return
        if self._state == "thinking":
            self._abandon()
        else:
            self._steer(changed)
        self._redraws.done(self._clock.now())

    def _steer(self, changed: ControlsSet) -> None:
        if not changed.redraws_condition:
            self._planner.resample(self.controls)
            return
        before, reseed = self._planner.request, "seed" in changed.names
        new_window = changed.new_mode or self._turn.bars is not None or bool(changed.names & _OF_WINDOWS)
        seed = self._seed if reseed else before.seed
        window = None if new_window else before.window
        request = self._requests.request(self._turn, seed, self._clock.now(), window)
        self._planner.steer(request, new_window=request.window is not before.window, reseed=reseed)

    @property
    def _goes_by_clock(self) -> bool:
        return bool(self._planner.request.opening.notes) or self._turn_taking.goes_by_clock(self._turn)

    def _keep_time(self) -> None:
        """Drop what was planned by a clock that has jumped, stopped or begun."""
        self._turn_taking.restart()
        self._live.follow_time()
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and self._goes_by_clock:
            self._give_way()

    def _stop_bars(self) -> None:
        now = self._clock.now()
        self._time.stop(now)
        if self._heads:
            self._cut_head(now)
        self._rest()

    def _play_head(self, now: float) -> None:
        """Play what is due of the melody; no turn of the companion's comes while it does."""
        heads = self._time.heads(now)
        if heads != self._heads:
            if heads and self._state == "thinking":
                self._abandon()
            elif heads and self._state == "playing":
                # What sounds may end in its own time.
                self._planner.withdraw(-inf)
                self._end_turn(now)
            self._heads = heads
            self._session.begin_turn(Role.COMPANION if heads else Role.HUMAN, self._live.style)
            self._listener.next_phrase()
            self._turn_taking.restart()
        notes = self._time.head_notes(now)
        for note in notes:
            self._scheduler.note(note, COMPANION_CHANNEL)
            self._session.add(note, Role.COMPANION)
            self._listener.last_onset = note.onset
        self._roll.play(notes)
        self._time.add_committed(notes)

    def _cut_head(self, now: float) -> None:
        """End the melody's notes now."""
        self._roll.cut(now, self._scheduler.release_all(COMPANION_CHANNEL))

    def _rest(self) -> None:
        """Be silent: the bars were stopped, or the tune has ended."""
        self._give_way()
        self._turn_taking.restart()
        self._live.follow_time()

    def _follow_form(self, refused: str) -> None:
        """Plan again for a form that goes on elsewhere or ends, or notice why it does not."""
        now = self._clock.now()
        if refused:
            self._board.notify(now, refused)
            return
        self._live.follow_time()
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing":
            self._turn = self._turn_taking.over_form(self._turn, now)
            self._redraws.add(_OTHER_FORM)
            self._redraw_if_due(now)

    def _tap(self, time: float) -> None:
        """Set the tempo from taps, and with the internal clock the beat from the last tap."""
        tempo = self._time.tap(time)
        if tempo is not None and self.controls.clock == "internal":
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
            if self._heads:
                # Everything at once means the head too, and it stays silent.
                self._time.stop(self._clock.now())
                self._heads = False
            self._listener.release(self._clock.now())
        finally:
            self._scheduler.panic()
        if self.controls.band:
            # Everything at once means the band too, and it stays silent.
            self.set_controls((SetControl("band", 0),))
