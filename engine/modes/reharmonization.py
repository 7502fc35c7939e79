"""Reharmonize: the human's phrase again, over other chords."""

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.modes.answer import Answer
from tatumflow.engine.modes.mode import PhrasePolicy, TurnPlan
from tatumflow.engine.phrase import Phrase


class Reharmonization:
    """Plays about as long as the call, with the call's latent, melody and rhythm, and the chords' harmony."""

    name: ModeName = "reharmonize"
    patience = 1.0
    phrases = PhrasePolicy(keeps=0.8, asks=("melody", "rhythm", "dynamics"), edits_harmony=True)

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of an answer, its length changed by the pace."""
        return Answer().plan(phrase, controls, now).paced(2.0**controls.pace)
