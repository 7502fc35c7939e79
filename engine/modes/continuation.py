"""Continue: go on from where the human stopped."""

from math import inf
from typing import Final

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.modes.answer import LEAD, call_length
from tatumflow.engine.modes.mode import MANNER, PhrasePolicy, TurnPlan
from tatumflow.engine.phrase import Phrase

LONGEST: Final = 30.0
"""Seconds after which the companion gives the turn back by itself."""


class Continuation:
    """Goes on with the same line for some phrases, each as long as the call, until the human plays.

    It takes over sooner than an answer, and the model says when the line goes on, counted from the human's
    last onset; where that lies further off than the player's own rest, it goes on then.

    The control `phrases` gives its length. From three quarters of that on it ends at a rest: first at one as
    long as ends a phrase of the player's, then at ever shorter ones, for the companion may play without such
    rests. No note starts beyond one and a half times the length plus 1 s, nor after 30 s. With 0 phrases the
    length is 30 s.
    """

    name: ModeName = "continue"
    patience = 0.6
    phrases = PhrasePolicy(tells=MANNER)

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of a continuation of `phrase` that begins at `now` seconds."""
        start = now + LEAD
        length = controls.phrases * call_length(phrase) if controls.phrases else inf
        return TurnPlan(
            earliest=start,
            latest_first=start + phrase.rest,
            last_onset=start + min(1.5 * length + 1.0, LONGEST),
            rest_from=start + 0.75 * min(length, LONGEST),
            rest=phrase.rest,
            rest_shrinks=True,
        )
