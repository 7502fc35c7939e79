"""What a pedal, a pad or an OSC message can set off, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tatumflow.engine.messages import (
    BeginBars,
    Command,
    EndTune,
    GoToSection,
    Panic,
    PassTurn,
    StopBars,
    TapTempo,
)


@dataclass(frozen=True, slots=True)
class Action:
    """The declaration of an action.

    Attributes:
        label: Its name on the screen.
        help: One sentence for musicians: what it does.
        command: Returns its command, given the time (seconds) at which it was set off.
    """

    label: str
    help: str
    command: Callable[[float], Command]


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "turn": Action("Turn", "Passes the turn: to the companion, or back to you.", lambda _: PassTurn()),
        "tap": Action("Tap tempo", "Sets the tempo; tap it on every beat.", TapTempo),
        "bars": Action(
            "Begin bars", "Begins the bars of traded turns, after the count-in.", lambda _: BeginBars()
        ),
        "stop": Action("Stop", "Stops the band, the clicks and the companion.", lambda _: StopBars()),
        "section": Action(
            "Next part", "Goes on from the chart's next section.", lambda _: GoToSection(steps=1)
        ),
        "repeat": Action("Part again", "Plays the chart's section again.", lambda _: GoToSection(steps=0)),
        "ending": Action(
            "End tune", "Lets the band end with the chorus, on a last chord.", lambda _: EndTune()
        ),
        "panic": Action("Panic", "Silences everything at once.", lambda _: Panic()),
    }
)
"""Every action, by its name in settings and OSC addresses."""
