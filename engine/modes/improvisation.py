"""Improvise: play alone, over a chord chart if there is one."""

from typing import Final

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.modes.answer import LEAD
from tatumflow.engine.modes.mode import MANNER, PhrasePolicy, TurnPlan
from tatumflow.engine.phrase import Phrase

LONGEST: Final = 3600.0
"""Seconds after which the companion stops by itself."""

_LONGEST_REST: Final = 1.5


class Improvisation:
    """Begins at once when the turn is taken, and plays until the human does."""

    name: ModeName = "improvise"
    patience = 1.0
    phrases = PhrasePolicy(from_call=False, tells=MANNER)

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of an improvisation that begins at `now` seconds; the call does not matter."""
        start = now + LEAD
        return TurnPlan(
            earliest=start, latest_first=start, last_onset=start + LONGEST, longest_rest=_LONGEST_REST
        )
