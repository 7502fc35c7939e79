"""The companion: hears every note, decides whose turn it is, and plays when it is its own."""

from collections import deque
from collections.abc import Callable
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.decoder import Floats
from tatumflow.engine.errors import SettingError
from tatumflow.engine.events import HumanEvent, NoteOn
from tatumflow.engine.harmony.chart_clock import ChartClock
from tatumflow.engine.listener import Listener
from tatumflow.engine.messages import (
    Health,
    Notice,
    Panic,
    PlayKey,
    SetControl,
    Snapshot,
    TakeTurn,
    Turn,
    YieldTurn,
)
from tatumflow.engine.modes import LEAD, Mode, mode_named
from tatumflow.engine.notes import Note, Role
from tatumflow.engine.phrase import Phrase
from tatumflow.engine.phrase_guide import PhraseGuide
from tatumflow.engine.phrase_model import PhraseModel
from tatumflow.engine.planner import Planner
from tatumflow.engine.roll import Roll
from tatumflow.engine.scheduler import Scheduler
from tatumflow.engine.session import ModelSession
from tatumflow.engine.turn_report import TurnReport

KEYS_CHANNEL: Final = 1
"""Channel at the scheduler of notes from the computer keyboard, which have no port to sound through."""

THINK_AHEAD: Final = 0.2
"""Seconds of silence before a turn that are spent on planning it."""

_MOST_NOTICES: Final = 32
_MOST_TURNS: Final = 1000

CompanionCommand = SetControl | Panic | TakeTurn | YieldTurn | PlayKey


class Companion:
    """Listens, thinks ahead while the phrase may be over, plays.

    *listening*: every note is fed to the model as it happens. *thinking*: the keys are up and the turn is
    about to come; the answer is planned as if it did, and taken back without a trace if the human goes on.
    *playing*: the plan is extended and handed to the scheduler. A key pressed meanwhile takes the turn back
    at once: sounding notes are closed, the rest is withdrawn, and the model keeps what was heard.

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
        self._chart: ChartClock | None = None
        self._follow_chart(clock.now())

    @property
    def controls(self) -> Controls:
        """Controls in force."""
        return self._controls

    @property
    def turn(self) -> Turn:
        """What the companion is doing."""
        return self._state

    def handle(self, event: HumanEvent) -> None:
        """Take what the human plays, in the order it happened."""
        if self._stopped:
            return
        if isinstance(event, NoteOn) and event.velocity > 0:
            self._give_way()
        self._listener.hear(event)
        if self._state == "thinking" and self._listener.turn_due(self._mode.patience) != self._turn_at:
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
        wake = self._listen(now) if self._state == "listening" else self._play(now)
        return min((time for time in (wake, self._listener.next_key_end) if time is not None), default=None)

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

    def _listen(self, now: float) -> float | None:
        if self._controls.mode == "improvise" and self._alone:
            self._take_turn()
            return now
        more = self._listener.prefill()
        due = self._listener.turn_due(self._mode.patience)
        if due is not None and now >= due - THINK_AHEAD:
            self._think(max(due, now))
            return now
        return now if more else None if due is None else due - THINK_AHEAD

    def _think(self, turn_at: float) -> None:
        """Plan a turn that comes at `turn_at` seconds."""
        self._call = self._listener.phrase(self._clock.now())
        self._turn_at = turn_at
        if self._controls.mode == "improvise":
            self._follow_chart(turn_at + LEAD)
        self._planner.begin(
            self._mode.plan(self._call, self._controls, turn_at),
            self._call,
            self._controls,
            self._style,
            previous_onset=self._listener.last_onset,
            seed=(self._controls.seed, self._turn_index),
            policy=self._mode.phrases,
            chart=self._chart,
        )
        self._state = "thinking"

    def _abandon(self) -> None:
        self._planner.abandon()
        self._state = "listening"

    def _begin_turn(self) -> None:
        self._alone = False
        self._planned_ahead = self._planner.first_onset is not None
        self._first_note_ms = 0.0 if self._planned_ahead else self._first_note_ms
        self._turn_index += 1
        self._listener.next_phrase()
        self._state = "playing"

    def _play(self, now: float) -> float | None:
        planner = self._planner
        if self._state == "thinking" and now >= self._turn_at:
            self._begin_turn()
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
            self._think(self._clock.now())
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
        self._controls, self._style = controls, style
        if name in ("chords", "tempo"):
            self._follow_chart(self._clock.now())
        if self._state == "thinking":
            self._abandon()
        elif self._state == "playing" and name == "lookahead":
            self._planner.use_lookahead(controls.lookahead)
        elif self._state == "playing":
            frame = self._mode.plan(self._call, controls, self._turn_at) if new_mode else None
            seed = (controls.seed, self._turn_index) if name == "seed" else None
            policy = self._mode.phrases
            self._planner.steer(controls, style, frame=frame, seed=seed, policy=policy, chart=self._chart)

    def _follow_chart(self, origin: float) -> None:
        """Begin the chart of the controls at `origin` seconds, for what either player plays from then on."""
        chords = self._controls.chords
        self._chart = ChartClock(chart_named(chords), self._controls.tempo, origin) if chords else None
        self._session.follow_chords(None if self._chart is None else self._chart.chord_id_at)

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
