"""How values read on the screen: pitches, styles and numbers with their units."""

from typing import Final

from tatumflow.engine.model.style_names import player_name

_NAMES: Final = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def pitch_name(pitch: int) -> str:
    """Return the name of a MIDI pitch, middle C (60) being C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def style_name(slug: str) -> str:
    """Return the name of a style's player: `art-tatum` is Art Tatum, the empty slug is any player."""
    return player_name(slug) or "any player"


def number(value: float, unit: str) -> str:
    """Return a number as short as it reads well; seconds are shown in milliseconds."""
    if unit == "s":
        return f"{value * 1000:.0f} ms"
    return f"{value}" if isinstance(value, int) else f"{value:.2f}"


def milliseconds(value: float | None) -> str:
    """Return a duration in milliseconds with two significant digits, a dash when there is none."""
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"
