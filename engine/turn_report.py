"""What is worth knowing about one finished turn of the companion's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One turn, in seconds on the clock in use.

    Attributes:
        call_start: First onset of the phrase it replied to.
        call_end: End of that phrase.
        turn: When the turn came.
        first_onset: Its first note; None if it had none.
        end: When it was over.
        notes: How many notes were handed to the scheduler and not taken back.
        compute_ms: Milliseconds of computing from the beginning of its planning to its first planned note;
            None without one.
        planned_ahead: Whether that note was there when the turn came.
    """

    call_start: float
    call_end: float
    turn: float
    first_onset: float | None
    end: float
    notes: int
    compute_ms: float | None
    planned_ahead: bool
