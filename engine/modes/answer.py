"""Answer: call and response."""

from typing import Final

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.modes.mode import MANNER, PhrasePolicy, TurnPlan
from tatumflow.engine.phrase import Phrase

LEAD: Final = 0.03
"""Seconds from the turn to the first note: time to compute one, too short to be heard as a wait."""

_OPENING_LENGTH: Final = 4.0
_SHORTEST_CALL: Final = 1.0


def call_length(phrase: Phrase) -> float:
    """Return the seconds that a call counts as: its length, 1 at least, and 4 for no call."""
    return max(phrase.length, _SHORTEST_CALL) if phrase.notes else _OPENING_LENGTH


class Answer:
    """Begins right at the turn and plays about as long as the call.

    It stops at the first rest after three quarters of the call's length, a rest being what ends a phrase of
    the player's, and starts no note beyond one and a half times that length plus 1 s. A call counts as 1 s
    at least; without a call the answer is as long as one to 4 s.
    """

    name: ModeName = "answer"
    patience = 1.0
    phrases = PhrasePolicy(tells=("melody", *MANNER), tells_near=("latent", "harmony"))

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of an answer to `phrase` that begins at `now` seconds."""
        length = call_length(phrase)
        start = now + LEAD
        return TurnPlan(
            earliest=start,
            latest_first=start,
            last_onset=start + 1.5 * length + 1.0,
            rest_from=start + max(0.75 * length, 1.0),
            rest=phrase.rest,
        )
