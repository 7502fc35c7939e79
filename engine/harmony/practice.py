"""Charts for practice: some bars of a tune over and over, and every chorus in another key."""

import re
from dataclasses import replace
from itertools import accumulate
from typing import Final, Literal, get_args

import numpy as np

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import Chart, Section

KeyStep = Literal["off", "fourth", "fifth", "semitone", "whole", "random"]
KEY_STEPS: Final[tuple[KeyStep, ...]] = get_args(KeyStep)
"""How the key moves with each chorus: not at all, up by an interval, or to a random one."""

_SEMITONES: Final[dict[KeyStep, int]] = {"fourth": 5, "fifth": 7, "semitone": 1, "whole": 2}
_KEYS: Final = 12
_RANGE: Final = re.compile(r"\s*(\d{1,4})\s*(?:[-–]\s*(\d{1,4})\s*)?")


def bar_range(text: str, chart: Chart) -> range:
    """Return the bars of a loop, from 0: "5-8" are the fifth to the eighth, "5" is one, "B" is a section.

    Raises:
        ChartError: if the chart has no such bars or section.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        return _section_range(text.strip(), chart)
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= len(chart.bars):
        raise ChartError(f"loop: bars {text.strip()} are not within 1 to {len(chart.bars)} of the chart")
    return range(first - 1, last)


def looped(chart: Chart, bars: range) -> Chart:
    """Return the chart of some bars of another, with the sections that they touch."""
    inside = [
        Section(section.name, max(section.bar, bars.start) - bars.start)
        for section, end in zip(chart.sections, _section_ends(chart), strict=True)
        if section.bar < bars.stop and end > bars.start
    ]
    return replace(chart, bars=chart.bars[bars.start : bars.stop], sections=tuple(inside))


def in_keys(chart: Chart, step: KeyStep, seed: int) -> Chart:
    """Return a chart of as many choruses as it takes to come round, each in the next key.

    Args:
        chart: One chorus, in the first key.
        step: How the key moves.
        seed: Seed of the order of random keys; all twelve come before one comes again.
    """
    if step == "off":
        return chart
    if step == "random":
        keys = [0, *(1 + np.random.default_rng(seed).permutation(_KEYS - 1)).tolist()]
    else:
        steps = _KEYS // int(np.gcd(_SEMITONES[step], _KEYS))
        keys = list(accumulate([_SEMITONES[step]] * (steps - 1), initial=0))
    choruses = [chart.transposed(key % _KEYS) for key in keys]
    sections = [
        replace(section, bar=section.bar + number * len(chart.bars))
        for number in range(len(choruses))
        for section in chart.sections
    ]
    bars = tuple(bar for chorus in choruses for bar in chorus.bars)
    return replace(chart, bars=bars, sections=tuple(sections))


def _section_range(name: str, chart: Chart) -> range:
    for section, end in zip(chart.sections, _section_ends(chart), strict=True):
        if section.name.lower() == name.lower():
            return range(section.bar, end)
    known = ", ".join(dict.fromkeys(section.name for section in chart.sections)) or "none"
    raise ChartError(
        f"loop: {name!r} is neither bars such as 5-8 nor a section of the chart (it has {known})"
    )


def _section_ends(chart: Chart) -> list[int]:
    """Return the bar after each section's last."""
    return [*(section.bar for section in chart.sections[1:]), len(chart.bars)][: len(chart.sections)]
