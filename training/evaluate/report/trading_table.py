"""The figures of `trading` as lines of text."""

from collections.abc import Iterator
from typing import Final

from tatumflow.training.evaluate.comparison import Figures

_SIDES: Final = ("companion", "player", "ratio")


def trading_lines(figures: Figures) -> Iterator[str]:
    """Write the figures of `trading` as lines of text, with 95 % intervals; none where there are none."""
    if "trading" not in figures:
        return
    found = figures["trading"]
    yield f"trading: fours over {len(found['tunes'])} tunes, {len(found['held_out'])} held out"
    for kind in ("lines", "chords"):
        part = found[kind]
        label = f"after {kind}, {part['takes']} takes, {part['silent']} of {part['answers']} answers silent"
        yield f"{label:<52}" + "".join(f"{side:>26}" for side in _SIDES)
        for name, row in part["figures"].items():
            cells = (_cell(row[side]) if side in row else "" for side in _SIDES)
            yield f"  {name:<50}" + "".join(f"{cell:>26}" for cell in cells).rstrip()


def _cell(figure: Figures) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"
