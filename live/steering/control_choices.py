"""Controls that have a list of values, and the lists."""

from collections.abc import Sequence
from typing import Final

from tatumflow.engine.controls import CLOCKS, MODES

CHOICES: Final = ("mode", "style", "style_b", "chords", "clock")
"""Controls with a list of values; all others are numbers."""

CHARTS: Final = tuple(
    f"{name} in {key}"
    for name, keys in (("blues", "F Bb C"), ("minor blues", "C"), ("rhythm changes", "Bb"))
    for key in keys.split()
)
"""Charts offered in the list; any other can be written into the settings or given on the command line."""


def options_of(control: str, styles: Sequence[str]) -> tuple[str, ...]:
    """Return the values a control can be chosen from; the empty one stands for no style, or no chart.

    Args:
        control: One of `CHOICES`.
        styles: Slugs of the styles that the model knows.
    """
    if control == "mode":
        return tuple(MODES)
    if control == "clock":
        return tuple(CLOCKS)
    return ("", *CHARTS) if control == "chords" else ("", *styles)
