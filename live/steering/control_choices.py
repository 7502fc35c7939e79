"""Controls that have a list of values, and the lists."""

from collections.abc import Sequence
from typing import Final

from tatumflow.engine.controls import CONTROL_SPECS

CHOICES: Final = tuple(name for name, spec in CONTROL_SPECS.items() if not spec.is_number)
"""Controls with a list of values; all others are numbers."""

CHARTS: Final = tuple(
    f"{name} in {key}"
    for name, keys in (("blues", "F Bb C"), ("minor blues", "C"), ("rhythm changes", "Bb"))
    for key in keys.split()
)
"""Charts offered in the list; any other can be written into the settings or given on the command line."""


def options_of(control: str, styles: Sequence[str]) -> tuple[str, ...]:
    """Return the values of one of `CHOICES`, by the model's style slugs; the empty one means none."""
    if CONTROL_SPECS[control].choices:
        return CONTROL_SPECS[control].choices
    if control == "head":
        return ("",)
    return ("", *CHARTS) if control == "chords" else ("", *styles)
