"""Charts for practice: some bars of a tune over and over, and every chorus in another key."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from math import gcd
from typing import Final

import numpy as np

from tatumflow.engine.harmony.chart import Chart, Section
from tatumflow.engine.harmony.key_steps import SEMITONES, KeyStep

_KEYS: Final = 12


def looped(chart: Chart, bars: range) -> Chart:
    """Return the chart of some bars of another, with the sections that they touch.

    The pick-up belongs to the bars that begin with the first.
    """
    inside = [
        Section(section.name, max(section.bar, bars.start) - bars.start)
        for section, end in zip(chart.sections, _section_ends(chart), strict=True)
        if section.bar < bars.stop and end > bars.start
    ]
    return replace(
        chart,
        bars=chart.bars[bars.start : bars.stop],
        sections=tuple(inside),
        pickup=chart.pickup if bars.start == 0 else None,
    )


def keys_of(step: KeyStep, seed: int) -> tuple[int, ...]:
    """Return the semitones, 0 to 11, by which each chorus is transposed until the first key comes again.

    Args:
        step: How the key moves.
        seed: Seed of the order of random keys; all twelve come before one comes again.
    """
    if step == "same":
        return (0,)
    if step == "random":
        return (0, *(1 + np.random.default_rng(seed).permutation(_KEYS - 1)).tolist())
    steps = _KEYS // gcd(SEMITONES[step], _KEYS)
    return tuple(key % _KEYS for key in accumulate([SEMITONES[step]] * (steps - 1), initial=0))


def in_keys(chart: Chart, keys: Sequence[int]) -> Chart:
    """Return a chart of several choruses; a pick-up stays before the first.

    Args:
        chart: One chorus, in the first key.
        keys: Semitones by which each chorus is transposed, as `keys_of` returns them.
    """
    if len(keys) == 1:
        return chart
    choruses = [chart.transposed(key) for key in keys]
    sections = [
        replace(section, bar=section.bar + number * len(chart.bars))
        for number in range(len(choruses))
        for section in chart.sections
    ]
    bars = tuple(bar for chorus in choruses for bar in chorus.bars)
    return replace(chart, bars=bars, sections=tuple(sections))


def _section_ends(chart: Chart) -> list[int]:
    """Return the bar after each section's last."""
    return [*(section.bar for section in chart.sections[1:]), len(chart.bars)][: len(chart.sections)]
