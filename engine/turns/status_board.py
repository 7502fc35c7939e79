"""Snapshots for the screen: both players' notes, the session's figures, and notices."""

from collections import deque
from typing import Final, Literal

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import Health, Notice, Snapshot, Turn
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.heard_harmony import HeardHarmony
from tatumflow.engine.turns.listener import Listener
from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.roll import Roll
from tatumflow.engine.turns.turn_report import TurnReporter

_MOST_NOTICES: Final = 32


class StatusBoard:
    """Builds snapshots from the parts of a companion."""

    def __init__(
        self,
        roll: Roll,
        listener: Listener,
        planner: Planner,
        reporter: TurnReporter,
        scheduler: Scheduler,
        time: Timekeeper,
        harmony: HeardHarmony,
    ) -> None:
        self._roll = roll
        self._listener = listener
        self._planner = planner
        self._reporter = reporter
        self._scheduler = scheduler
        self._time = time
        self._harmony = harmony
        self._notices: deque[Notice] = deque(maxlen=_MOST_NOTICES)

    def notify(
        self,
        now: float,
        text: str,
        severity: Literal["information", "warning", "error"] = "information",
    ) -> None:
        """Queue a line for the user; the oldest of more than 32 are dropped."""
        self._notices.append(Notice(now, text, severity))

    def snapshot(self, now: float, turn: Turn, controls: Controls) -> Snapshot:
        """Return the state at `now` seconds. Each notice appears in one snapshot only."""
        planner = self._planner
        notes = self._roll.view(now, planner.planned)
        notices = tuple(self._notices)
        self._notices.clear()
        return Snapshot(
            time=now,
            turn=turn,
            controls=controls,
            notes=notes,
            held=tuple(sorted({(note.role, note.pitch) for note in notes if note.duration is None})),
            health=Health(
                send_lateness_p99_ms=1000 * self._scheduler.lateness.percentile(99),
                note_cost_p50_ms=1000 * planner.note_cost.percentile(50),
                first_note_ms=self._reporter.first_note_ms,
                late_notes=self._scheduler.late_notes,
                model_faults=planner.faults + self._listener.faults,
            ),
            position=self._time.position(now),
            heard=self._time.heard,
            heard_chord=self._harmony.state(now),
            heard_chart=self._time.heard_chart,
            notices=notices,
        )
