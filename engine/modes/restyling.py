"""Restyle: the human's phrase again, as the style would play it."""

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.modes.answer import Answer
from tatumflow.engine.modes.mode import PhrasePolicy, TurnPlan
from tatumflow.engine.phrase import Phrase


class Restyling:
    """Plays about as long as the call, from a latent halfway between the call's own and the style's."""

    name: ModeName = "restyle"
    patience = 1.0
    phrases = PhrasePolicy(keeps=0.5, asks=("melody", "rhythm", "dynamics"))

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of an answer, its length changed by the pace."""
        return Answer().plan(phrase, controls, now).paced(2.0**controls.pace)
