"""Continue: go on from where the human stopped."""

from typing import Final

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.modes.answer import LEAD
from tatumflow.engine.modes.mode import PhrasePolicy, TurnPlan
from tatumflow.engine.phrase import Phrase

LONGEST: Final = 30.0
"""Seconds after which the companion gives the turn back by itself."""


class Continuation:
    """Goes on with the same line until the human plays, for 30 s at most.

    It takes over sooner than an answer, and the model says when the line goes on, counted from the human's
    last onset; where that lies further off than the player's own rest, it goes on then.
    """

    name: ModeName = "continue"
    patience = 0.6
    phrases = PhrasePolicy(style_first=True)

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of a continuation of `phrase` that begins at `now` seconds."""
        start = now + LEAD
        return TurnPlan(earliest=start, latest_first=start + phrase.rest, last_onset=start + LONGEST)
