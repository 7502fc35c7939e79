"""Takes: several samples of the notes to come, of which one is kept.

The model samples each note well and a phrase less so: it repeats its motifs less often than players do. So
the next notes are sampled several times, and one take is drawn by a model of what tells players from the
companion; see `phrases/take_chooser.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.takes.take_chooser import CONTEXT_NOTES, Chooser
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.plan import Plan
from tatumflow.engine.turns.turn_phrases import TurnPhrases
from tatumflow.engine.turns.turn_request import TurnRequest

TAKE_NOTES: Final = 16
"""Notes of a take."""

FIRST_NOTES: Final = 4
"""Notes at the beginning of a turn of which there is one take alone, so that it begins at once."""

DECISION_LEAD: Final = 0.05
"""Seconds before the last planned note is committed at which a take must be chosen."""

_STREAM: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Take:
    notes: tuple[Note, ...]
    conditions: tuple[Floats | None, ...]
    finished: bool


class Takes:
    """Takes of the next notes of a plan, sampled one after the other; the notes of each are in the plan.

    Where the time ends first, one of the whole takes is chosen, or the only one goes on as it is.

    Attributes:
        active: Whether the notes that are sampled now belong to a take.
    """

    def __init__(self, session: ModelSession, plan: Plan, phrases: TurnPhrases) -> None:
        """Sample no takes yet.

        Args:
            session: The model's context.
            plan: The notes of the turn in progress.
            phrases: Their conditions.
        """
        self.active = False
        self._session = session
        self._plan = plan
        self._phrases = phrases
        self._chooser: Chooser | None = None
        self._chart: ChartInTime | None = None
        self._rng = np.random.default_rng(0)
        self._takes: list[_Take] = []
        self._choices = self._chosen_from = 0
        self._before: Sequence[HeardNote] = ()
        self._count = self._notes = self._phrases_before = 0
        self._decided_by = inf

    def begin_turn(self, seed: tuple[int, ...]) -> None:
        """Begin a turn whose takes are chosen with a seed."""
        self._leave()
        self._choices = self._chosen_from = 0
        self._rng = np.random.default_rng((*seed, _STREAM))

    def begin(self, request: TurnRequest, now: float) -> None:
        """Begin takes of the notes to come, unless they are sampled already or there is no time for any.

        Args:
            request: The request of the turn, with the number of takes.
            now: Seconds.
        """
        chooser, count = request.chooser, request.takes
        drawn = self._phrases.drawn
        decided_by = self._plan.previous_onset - request.controls.lookahead - DECISION_LEAD
        if self.active or chooser is None or count < 2 or drawn < FIRST_NOTES or now >= decided_by:
            return
        self.active, self._chooser, self._chart = True, chooser, request.chart
        self._count, self._decided_by = count, decided_by
        self._notes = TAKE_NOTES - drawn % TAKE_NOTES
        if self._notes < FIRST_NOTES:
            self._notes += TAKE_NOTES
        self._before = self._session.last_notes(CONTEXT_NOTES)
        self._phrases_before = self._phrases.begun
        self._plan.begin_take()

    def go_on(self, now: float, *, finished: bool) -> bool:
        """Begin the next take where one is whole, and choose one after the last, or where the time ends.

        Args:
            now: Seconds.
            finished: Whether the turn ends with the take in progress.

        Returns:
            Whether the turn ends with the notes that are planned now.
        """
        if not self.active:
            return finished
        whole = finished or len(self._plan.take) >= self._notes
        if whole:
            self._takes.append(_Take(self._plan.take, self._phrases.conditions, finished))
        if len(self._takes) < self._count and now < self._decided_by:
            if whole:
                self._plan.drop_take()
                # A phrase that begins with the take has another condition in each.
                self._phrases.forget_from(self._phrases_before)
                self._plan.begin_take()
            return False
        if not self._takes:
            self._plan.keep_take()
            self._leave()
            return finished
        return self._keep_one(last_is_planned=whole)

    @property
    def mean(self) -> float | None:
        """From how many takes was chosen in this turn, on average; None where there was no choice yet."""
        return self._chosen_from / self._choices if self._choices else None

    def drop(self) -> None:
        """Drop the takes, before the notes that stay are changed."""
        if self.active:
            self._plan.drop_take()
            self._leave()

    def _keep_one(self, *, last_is_planned: bool) -> bool:
        """Choose one of the whole takes and plan it; return whether the turn ends with it."""
        assert self._chooser is not None
        notes = [take.notes for take in self._takes]
        chosen = self._chooser.choose(self._before, notes, self._rng.random(), self._chart)
        take = self._takes[chosen]
        self._choices += 1
        self._chosen_from += len(self._takes)
        if last_is_planned and chosen == len(self._takes) - 1:
            self._plan.keep_take()
        else:
            self._plan.drop_take()
            self._phrases.restore(take.conditions)
            for note in take.notes:
                self._phrases.apply()
                mark = self._session.mark()
                self._session.add(note, Role.COMPANION)
                self._plan.append(note, mark, note.onset)
        self._leave()
        return take.finished

    def _leave(self) -> None:
        self.active = False
        self._takes.clear()
