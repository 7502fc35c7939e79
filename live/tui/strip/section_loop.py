"""The loop over a section of the chart, as one key sets it."""

from typing import Final

from tatumflow.engine.control_specs import ControlSpec
from tatumflow.engine.controls import CONTROL_SPECS, Controls, chart_named
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.messages import Position
from tatumflow.engine.tempo.tune import tune_of
from tatumflow.live.tui.chart.chart_lines import BARS_PER_LINE

_FROM: Final[ControlSpec] = CONTROL_SPECS["loop_from"]
_BARS: Final[ControlSpec] = CONTROL_SPECS["loop_bars"]


def loop_text(controls: Controls) -> str:
    """Return the loop as the screen shows it: its first and last bar, or off."""
    if not controls.loop_bars:
        return "off"
    return f"{controls.loop_from}–{controls.loop_from + controls.loop_bars - 1}"


def section_loop(controls: Controls, position: Position | None) -> dict[str, int]:
    """Return the controls that loop the section in progress, or those that end a loop.

    Without sections, the line of four bars is looped. There is nothing to loop without a chart.
    """
    if controls.loop_bars:
        return {"loop_bars": 0}
    tune = tune_of(controls)
    if tune is None or not controls.chords:
        return {}
    at = 0 if position is None or position.chart_bar is None else position.chart_bar % tune.chorus_bars
    return _loop(_section(chart_named(controls.chords), at))


def moved_loop(controls: Controls, steps: int) -> dict[str, int]:
    """Return the controls of the loop some of its lengths further, as far as the chart goes."""
    if not controls.loop_bars or not controls.chords:
        return {}
    bars = len(chart_named(controls.chords).bars)
    first = controls.loop_from + steps * controls.loop_bars
    return {"loop_from": first} if 1 <= first <= min(bars, int(_FROM.high)) else {}


def _section(chart: Chart, bar: int) -> range:
    """Return the bars of the section that a bar lies in, else of its line."""
    bounds = [*(section.bar for section in chart.sections), len(chart.bars)]
    start = max((bound for bound in bounds[:-1] if bound <= bar), default=None)
    if start is None:
        start = bar - bar % BARS_PER_LINE
        return range(start, min(start + BARS_PER_LINE, *(bound for bound in bounds if bound > bar)))
    return range(start, min(bound for bound in bounds if bound > bar))


def _loop(bars: range) -> dict[str, int]:
    return {"loop_from": bars.start + 1, "loop_bars": min(len(bars), int(_BARS.high))}
