"""The tune that the controls name, as it is practised: its loop, and its choruses in every key."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.harmony.chart import Chart, ChordChange
from tatumflow.engine.harmony.key_steps import KeyStep
from tatumflow.engine.harmony.practice import in_keys, keys_of, looped


@dataclass(frozen=True)
class Tune:
    """A chart as it is practised.

    Attributes:
        chart: Its choruses, each in its key, until the first key comes again.
        chorus_bars: Bars of one chorus, or of the loop.
        keys: Semitones, 0 to 11, by which each of its choruses is transposed.
        first_bar: Bar of the tune as written with which a chorus begins: that of the loop, from 0.
    """

    chart: Chart
    chorus_bars: int
    keys: tuple[int, ...] = (0,)
    first_bar: int = 0

    @property
    def chorus_beats(self) -> int:
        """Beats of one chorus, or of the loop."""
        return self.chorus_bars * self.chart.beats_per_bar


def tune_of(controls: Controls) -> Tune | None:
    """Return the tune of the controls, None without a chart.

    A loop ends with the chart at the latest; one that begins beyond it is left out. Where the chords of the
    last bars are the chart, its bars have none until they are heard.
    """
    if not controls.chords:
        return _unheard(controls.heard_bars) if controls.loops_heard else None
    return _tune(controls.chords, controls.loop_from, controls.loop_bars, controls.key_step, controls.seed)


@lru_cache(maxsize=16)
def _unheard(bars: int) -> Tune:
    return Tune(Chart(((ChordChange(Fraction(0), None),),) * bars), bars)


@lru_cache(maxsize=16)
def _tune(chords: str, loop_from: int, loop_bars: int, key_step: KeyStep, seed: int) -> Tune:
    chart, first_bar = chart_named(chords), 0
    if loop_bars and loop_from <= len(chart.bars):
        first_bar = loop_from - 1
        chart = looped(chart, range(loop_from - 1, min(loop_from - 1 + loop_bars, len(chart.bars))))
    keys = keys_of(key_step, seed)
    return Tune(in_keys(chart, keys), len(chart.bars), keys, first_bar)
