"""`tatumflow presets`: every preset, what it is for, and what it sets."""

import textwrap
from collections.abc import Mapping
from typing import Any, Final

from tatumflow.live.presets import presets, presets_folder

_COLUMNS: Final = 80


def print_presets() -> None:
    """Print every preset; own values of a command after its name."""
    for preset in presets().values():
        print(preset.name)
        _print(preset.about)
        _print(_assignments(preset.shared))
        for command, values in preset.own.items():
            if values:
                _print(f"{command}: {_assignments(values)}")
    print(f"\nYour own presets lie in {presets_folder()}, a .yaml file each.")


def _assignments(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def _print(text: str) -> None:
    print(
        textwrap.fill(text, _COLUMNS, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    )
