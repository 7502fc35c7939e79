"""Named figures in a row; one out of its bounds is marked with ▲, not by colour alone."""

from typing import NamedTuple

from textual.content import Content


class Figure(NamedTuple):
    """A figure.

    Attributes:
        name: What it is called; may be empty.
        value: As it reads.
        level: "warning" or "error" where it is out of its bounds.
    """

    name: str
    value: str
    level: str = ""


def level_of(value: float, fine: float, bad: float) -> str:
    """Return the level of a figure that is fine up to one bound and bad above another."""
    return "" if value <= fine else "warning" if value <= bad else "error"


def figure_text(figure: Figure) -> Content:
    """Return a figure as the screen shows it."""
    name = Content.from_markup("[$muted]$name[/] ", name=figure.name) if figure.name else Content()
    if figure.level:
        return name + Content.from_markup(f"[b ${figure.level}]▲ $value[/]", value=figure.value)
    return name + Content.from_markup("[b]$value[/]", value=figure.value)
