"""The track of a slider, drawn in cells."""

from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from tatumflow.live.steering.control_range import ControlRange


class TrackStyles(NamedTuple):
    """How the parts of a track look."""

    filled: Style
    empty: Style
    thumb: Style


def draw_track(control: ControlRange, value: float, cells: int, styles: TrackStyles) -> list[Segment]:
    """Return a track of so many cells, at least one, filled from zero (or the least value) to the thumb."""
    thumb = round(control.fraction(value) * (cells - 1))
    zero = round(control.fraction(min(control.high, max(control.low, 0.0))) * (cells - 1))
    first, last = min(zero, thumb), max(zero, thumb)
    return [
        Segment("─" * first, styles.empty),
        Segment("━" * (thumb - first), styles.filled),
        Segment("●", styles.thumb),
        Segment("━" * (last - thumb), styles.filled),
        Segment("─" * (cells - 1 - last), styles.empty),
    ]


def value_at(control: ControlRange, column: int, cells: int) -> float:
    """Return the value at a column of a track of so many cells; those beside it give the limits."""
    return control.at(column / max(1, cells - 1))
