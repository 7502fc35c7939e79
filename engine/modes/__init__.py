"""Modes: what the companion does with a phrase, one policy a file, found by name."""

from typing import Final

from tatumflow.engine.controls import ModeName
from tatumflow.engine.modes.answer import Answer
from tatumflow.engine.modes.continuation import Continuation
from tatumflow.engine.modes.mode import Mode, TurnPlan

_MODES: Final[dict[ModeName, Mode]] = {mode.name: mode for mode in (Answer(), Continuation())}


def mode_named(name: ModeName) -> Mode:
    """Return the mode of that name."""
    return _MODES[name]


__all__ = ["Mode", "TurnPlan", "mode_named"]
