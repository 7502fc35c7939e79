"""A level meter in cells: the RMS as a bar, the peak as a mark over it."""

from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from tatumflow.live.audio.levels import Level, decibels

LOWEST_DB: Final = -60.0
"""Where the scale begins; it ends at full scale, 0 dB."""

HOT_DB: Final = -6.0
"""From here on the scale is drawn as hot."""

_FULL_SCALE_DB: Final = -0.1
_HEARD: Final = "▇"
_UNHEARD: Final = "░"
_PEAK: Final = "┃"
_OVER: Final = "▲"


@dataclass(frozen=True, slots=True)
class MeterReading:
    """What a meter of some cells shows of a level.

    Attributes:
        cells: Its length.
        filled: Cells that the RMS fills.
        peak: Cell of the peak; -1 below the scale.
        over: Whether the peak is at full scale.
    """

    cells: int
    filled: int = 0
    peak: int = -1
    over: bool = False


class MeterCell(NamedTuple):
    """A cell of a meter.

    Attributes:
        glyph: What stands in it.
        style: Component class: `meter--track`, `meter--bar`, `meter--unheard`, `meter--mark`, `meter--hot` or
            `meter--over`.
    """

    glyph: str
    style: str


_EMPTY: Final = MeterCell(" ", "meter--track")


def read_meter(level: Level, cells: int) -> MeterReading:
    """Return what a meter of so many cells shows; levels outside the scale lie at its ends."""
    peak = decibels(level.peak)
    return MeterReading(
        cells,
        filled=round(_fraction(decibels(level.rms)) * cells),
        peak=min(cells - 1, int(_fraction(peak) * cells)) if peak > LOWEST_DB else -1,
        over=peak >= _FULL_SCALE_DB,
    )


def meter_cells(reading: MeterReading, *, heard: bool) -> list[MeterCell]:
    """Return the meter from left to right; the bar of what is not heard is pale."""
    hot = ceil(_fraction(HOT_DB) * reading.cells)
    cells = [_EMPTY] * reading.cells
    for at in range(reading.filled):
        style = "meter--unheard" if not heard else "meter--hot" if at >= hot else "meter--bar"
        cells[at] = MeterCell(_HEARD if heard else _UNHEARD, style)
    if reading.over and cells:
        cells[-1] = MeterCell(_OVER, "meter--over")
    elif reading.peak >= reading.filled:
        cells[reading.peak] = MeterCell(_PEAK, "meter--hot" if reading.peak >= hot else "meter--mark")
    return cells


def _fraction(level: float) -> float:
    return min(1.0, max(0.0, 1 - level / LOWEST_DB))
