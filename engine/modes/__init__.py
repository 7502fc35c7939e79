"""Modes: what the companion does with a phrase, one policy a file, found by name."""

from typing import Final

from tatumflow.engine.controls import ModeName
from tatumflow.engine.modes.answer import LEAD, Answer
from tatumflow.engine.modes.continuation import Continuation
from tatumflow.engine.modes.improvisation import Improvisation
from tatumflow.engine.modes.mode import Mode, PhrasePolicy, TurnPlan
from tatumflow.engine.modes.reharmonization import Reharmonization
from tatumflow.engine.modes.restyling import Restyling

_MODES: Final[dict[ModeName, Mode]] = {
    mode.name: mode for mode in (Answer(), Continuation(), Improvisation(), Restyling(), Reharmonization())
}


def mode_named(name: ModeName) -> Mode:
    """Return the mode of that name."""
    return _MODES[name]


__all__ = ["LEAD", "Mode", "PhrasePolicy", "TurnPlan", "mode_named"]
