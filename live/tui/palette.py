"""Colours and glyphs: each player has one of each, used by every part of the screen."""

from typing import Final

from textual.theme import Theme

from tatumflow.engine.midi.notes import Role

YOU_GLYPH: Final = "●"
COMPANION_GLYPH: Final = "◆"
PLANNED_GLYPH: Final = "◇"

GLYPHS: Final[dict[Role, str]] = {Role.HUMAN: YOU_GLYPH, Role.COMPANION: COMPANION_GLYPH}

EXTRA_COLOURS: Final[dict[str, str]] = {
    "you": "#5cb8ff",
    "companion": "#ffb347",
    "planned": "#b5803f",
    "muted": "#8a95a3",
}
"""Colours every theme has. Blue and amber stay apart for every common kind of colour blindness."""

THEME: Final = Theme(
    name="tatumflow",
    primary="#5cb8ff",
    secondary="#ffb347",
    accent="#5cb8ff",
    foreground="#d8dee6",
    background="#0e1116",
    surface="#141920",
    panel="#1c232c",
    success="#62d196",
    warning="#f2d45c",
    error="#ff6b6b",
    dark=True,
    variables={
        **EXTRA_COLOURS,
        "footer-background": "#141920",
        "footer-key-foreground": "#d8dee6",
        "footer-description-foreground": "#8a95a3",
    },
)
