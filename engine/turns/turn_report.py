"""Reports of the companion's finished turns."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.turn_taking import CompanionTurn

_MOST_REPORTS: Final = 1000


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One finished turn; times in seconds on the clock in use.

    Attributes:
        call_start: First onset of the phrase it replied to.
        call_end: End of that phrase.
        turn: When the turn came.
        first_onset: Onset of its first note; None if it had none.
        end: When it was over.
        notes: How many notes were committed and not withdrawn.
        compute_ms: Milliseconds of computing from the start of its planning to its first planned note; None
            without one.
        planned_ahead: Whether that note was planned when the turn came.
        takes: From how many takes each further stretch of notes was chosen, on average; None where none was.
    """

    call_start: float
    call_end: float
    turn: float
    first_onset: float | None
    end: float
    notes: int
    compute_ms: float | None
    planned_ahead: bool
    takes: float | None = None


class TurnReporter:
    """Records a planner's turns.

    Attributes:
        reports: Of the last 1,000 turns.
        begun: How many turns have come.
        first_note_ms: Milliseconds from the last turn to its first planned note; None before the first.
    """

    def __init__(self, planner: Planner) -> None:
        self.reports: deque[TurnReport] = deque(maxlen=_MOST_REPORTS)
        self.begun = 0
        self.first_note_ms: float | None = None
        self._planner = planner
        self._planned_ahead = False

    def begin(self) -> None:
        """Record that the planned turn comes now."""
        self.begun += 1
        self._planned_ahead = self._planner.first_onset is not None
        if self._planned_ahead:
            self.first_note_ms = 0.0

    def look(self) -> None:
        """Record the turn's first note once it is planned."""
        if not self._planned_ahead and self._planner.first_note_ms is not None:
            self.first_note_ms = self._planner.first_note_ms

    def end(self, turn: CompanionTurn, now: float) -> None:
        """Add the report of a turn that ends at `now` seconds."""
        planner = self._planner
        self.reports.append(
            TurnReport(
                call_start=turn.call.start,
                call_end=turn.call.end,
                turn=turn.at,
                first_onset=planner.first_onset,
                end=now,
                notes=planner.notes,
                compute_ms=planner.first_note_ms,
                planned_ahead=self._planned_ahead,
                takes=planner.mean_takes,
            )
        )
