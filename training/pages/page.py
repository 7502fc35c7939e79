"""HTML pages rendered by Jinja2 from the templates of a package."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from tatumflow.engine.model.style_names import player_name

_NONE: Final = "–"


def render(template: str, package: str, **values: Any) -> str:  # noqa: ANN401
    """Return a page.

    Templates find `page.html` and `macros.html` of this package beside their own, and the functions of this
    module as filters.

    Args:
        template: Name of the file in the folder `templates` of a package.
        package: Name of the package.
        values: What the template names; text is escaped.
    """
    loaders = [PackageLoader(package), PackageLoader("tatumflow.training.pages")]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bounds": bounds,
        "comparison": comparison,
        "number": number,
        "percent": lambda share: f"{share:.1%}",
        "player": player_name,
        "setting": setting,
        "with_interval": with_interval,
        "words": words,
        "yes": lambda value: "yes" if value else "no",
    }
    return environment.get_template(template).render(values)


def words(name: str) -> str:
    """Return the name of a figure in words."""
    return name.replace("_", " ")


def number(value: object) -> str:
    """Return a count with separators or a real number with three decimals; a dash for other values."""
    if not isinstance(value, int | float) or not np.isfinite(value):
        return _NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def bounds(interval: Sequence[float]) -> str:
    """Return the two ends of an interval; a dash for an empty one."""
    return f"[{number(interval[0])}, {number(interval[1])}]" if interval else _NONE


def with_interval(figure: Mapping[str, Any] | None) -> str:
    """Return a figure of `value` and `interval`; a dash for None."""
    return _NONE if figure is None else f"{number(figure['value'])} {bounds(figure['interval'])}"


def comparison(row: Mapping[str, Any]) -> list[str]:
    """Return `generated`, `real` and `ratio` of a row, and the ratio's interval."""
    return [number(row[key]) for key in ("generated", "real", "ratio")] + [bounds(row["interval"])]


def setting(value: object) -> str:
    """Return the setting of a control in 24 characters at most."""
    text = "none" if value == "" else f"{value:g}" if isinstance(value, int | float) else str(value)
    return " ".join(text.split())[:24]
