"""A chart as it is being written: its name, and the text under it."""

import re
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.harmony.chart import Chart, chart_title, parse_chart

_TITLE: Final = re.compile(r"\{[ \t]*title[ \t]*:([^{}\n]*)\}[ \t]*\n?", re.IGNORECASE)
_BRACES: Final = str.maketrans("{}", "()")


@dataclass(frozen=True)
class ChartDraft:
    """A chart on its way.

    Attributes:
        name: Its title; may be empty.
        text: The rest of its text, which may not be a chart yet.
    """

    name: str = ""
    text: str = ""

    @classmethod
    def of(cls, source: str, name: str = "") -> "ChartDraft":
        """Return the draft of a chart's text, its title, or else `name`, moved out of it."""
        title = _TITLE.search(source)
        if title is None or chart_title(source) != title[1].strip():
            return cls(name, source.strip("\n"))
        rest = source[: title.start()] + source[title.end() :]
        return cls(title[1].strip(), rest.strip("\n"))

    @property
    def chart(self) -> Chart:
        """The chart.

        Raises:
            ChartError: if it is none yet.
        """
        return parse_chart(self.source)

    @property
    def source(self) -> str:
        """The text of the chart with its title; one in the text goes before the name."""
        name = " ".join(self.name.split()).translate(_BRACES)
        return self.text if not name or _TITLE.search(self.text) else f"{{title: {name}}}\n{self.text}"
