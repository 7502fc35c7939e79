"""Figures of the loop of heard chords: how much of a player's comping is heard, and how much is right."""

from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from time import thread_time_ns
from typing import Final

import numpy as np

from tatumflow.engine.harmony.bar_estimator import Sounding, heard_halves
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import Chord, chord_id
from tatumflow.engine.harmony.live_estimator import SURE, LikelyChord
from tatumflow.engine.turns.heard_loop import READ_AFTER
from tatumflow.live.bench.report import Figure, Target

TEMPO: Final = 120.0
"""Beats per minute at which the chords are played."""

_BEATS: Final = 4
_BARS: Final = 8
_MOST_CHARTS: Final = 60
_LOWEST: Final = 36
_SPREAD: Final = 0.01
"""Standard deviation of the onsets in seconds, as of a player in time."""

_RIGHT: Final = Target(least_mean=0.85)


def heard_figures(charts: Iterable[Chart], seed: int = 0) -> list[Figure]:
    """Return the figures over the first eight bars of charts in 4/4, played twice with the root below.

    A half of a bar counts as right with the root and the third of the chord that is played there.
    """
    sure: list[bool] = []
    right: list[bool] = []
    costs: list[float] = []
    random = Random(seed)
    for chart in islice((chart for chart in charts if chart.beats_per_bar == _BEATS), _MOST_CHARTS):
        bars = min(len(chart.bars), _BARS)
        notes = np.array(list(_comped(chart, 2 * bars, bars, random)), np.float64).reshape(-1, 3)
        for bar in range(2 * bars):
            start, end = _seconds(bar * _BEATS), _seconds((bar + 1) * _BEATS)
            heard = notes[notes[:, 0] < end + READ_AFTER]
            if not len(heard):
                continue
            began = thread_time_ns()
            halves = heard_halves(Sounding.of(heard), start, end, end + READ_AFTER)
            costs.append((thread_time_ns() - began) / 1e6)
            for half, beat in zip(halves, (0, 2), strict=True):
                played = chord_id(chart.chord_at(bar % bars * _BEATS + beat))
                if played:
                    sure.append(half.confidence >= SURE)
                    right += [half.same_third(LikelyChord(played, 1.0))] * sure[-1]
    if not sure:
        return []
    return [
        Figure.of("heard_chords_sure", "share", sure, Target()),
        Figure.of("heard_chords_right_where_sure", "share", right or [False], _RIGHT),
        Figure.of("heard_bar", "ms", costs, Target()),
    ]


def _comped(chart: Chart, count: int, bars: int, random: Random) -> Iterator[tuple[float, float, int]]:
    """Yield onset, end and pitch of the chords of bars, played again and again."""
    for bar in range(count):
        changes = chart.bars[bar % bars]
        ends = [*(float(change.beat) for change in changes[1:]), float(_BEATS)]
        for change, end in zip(changes, ends, strict=True):
            if change.chord is not None:
                onset = max(_seconds(bar * _BEATS + float(change.beat)) + random.gauss(0, _SPREAD), 0.0)
                yield from ((onset, _seconds(bar * _BEATS + end), p) for p in _voiced(change.chord))


def _voiced(chord: Chord) -> list[int]:
    """Return a chord in close position above its root, with the root an octave below."""
    root = _LOWEST + (chord.root - _LOWEST) % 12
    return [root, *(root + 12 + (pitch - chord.root) % 12 for pitch in sorted(chord.pitch_classes))]


def _seconds(beat: float) -> float:
    return beat * 60 / TEMPO
