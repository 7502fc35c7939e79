"""What a pedal, a pad or an OSC message can set off, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tatumflow.engine.messages import BeginBars, Command, Panic, PassTurn, TapTempo

ACTIONS: Final[Mapping[str, Callable[[float], Command]]] = MappingProxyType(
    {
        "turn": lambda _: PassTurn(),
        "tap": TapTempo,
        "bars": lambda _: BeginBars(),
        "panic": lambda _: Panic(),
    }
)
"""The command of each action, given the time (seconds) at which it was set off."""
