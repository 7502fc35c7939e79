"""Improvisations over a blues, beside real blues solos of the same length.

Takes of a minute over a 12-bar blues: the share of chord tones on strong beats (the first and third of each
bar), the longest silence, and the repetitions of the commonest figure of eight notes.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.training.data.corpora.wjazzd_beats import BeatenSolo, read_blues
from tatumflow.training.evaluate.bootstrap import mean
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.metrics.repetition import FIGURE, most_repeated_figure
from tatumflow.training.evaluate.metrics.texture import chord_tone_share, longest_silence

TAKE_SECONDS: Final = 60.0
"""Length of a take, and of the real stretches."""

TAKES: Final = 12
"""Number of takes over all styles and tempos."""

CHART: Final = "blues in F"
TEMPOS: Final = (120.0, 160.0, 200.0)
"""Beats per minute of successive takes."""

LONGEST_SILENCE: Final = 2.0
"""Seconds of silence above which a take seems broken."""

_STRONG: Final = (1, 3)
_RANGE: Final = (2.5, 97.5)
_NEAR: Final = 0.06

Notes = NDArray[np.void]


@dataclass(frozen=True)
class TakeFigures:
    """Figures of a take.

    Attributes:
        chord_tones: Share of the notes on strong beats that belong to the chord; NaN if none is struck there.
        silence: Longest silence in seconds.
        repeats: Count of the commonest figure of `FIGURE` notes.
        notes: Number of notes.
    """

    chord_tones: float
    silence: float
    repeats: int
    notes: int


def improvise_figures(
    performer: Performer,
    styles: Sequence[str],
    solos: Path | None,
    *,
    takes: int,
    seconds: float,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Figures:
    """Return `improvise`: figures of the takes and of real solos, and the number of takes in the real range.

    Args:
        performer: The model.
        styles: Slugs of the styles of successive takes; empty for none.
        solos: The Weimar Jazz Database; None for no comparison.
        takes: Number of takes.
        seconds: Length of a take.
        seed: Seed of the takes.
        progress: Called with the number of the take.

    Raises:
        CorpusError: if the database cannot be read.
        ModelFault: if the model's output is not finite.
    """
    report = progress or (lambda _: None)
    chart = chart_named(CHART)
    played: list[TakeFigures] = []
    for i in range(takes):
        report(f"take {i + 1} of {takes}")
        tempo = TEMPOS[i % len(TEMPOS)]
        controls = Controls(
            mode="improvise",
            style=styles[i % len(styles)] if styles else "",
            chords=CHART,
            tempo=tempo,
            seed=seed_of(seed, i),
        )
        clock = ChartClock(chart, tempo, 0.0)
        beats = np.arange(0.0, seconds, 60.0 / tempo)
        strong = beats[(np.arange(len(beats)) % 4) % 2 == 0]

        def tones(time: float, clock: ChartClock = clock) -> Collection[int]:
            chord = chart.chord_at(clock.beat(time + _NEAR))
            return () if chord is None else chord.pitch_classes

        played.append(_measure(performer.improvise(seconds, controls), tones, strong, seconds))
    report("reading real solos")
    real = [] if solos is None else [_real(solo, seconds) for solo in read_blues(solos)]
    return {"improvise": _figures(played, [one for one in real if one is not None], seed)}


def _real(solo: BeatenSolo, seconds: float) -> TakeFigures | None:
    """Measure the first `seconds` of a solo; None if it is shorter."""
    if solo.notes["onset"][-1] < seconds:
        return None
    times = [beat.time for beat in solo.beats]
    strong = [beat.time for beat in solo.beats if beat.beat in _STRONG]

    def tones(time: float) -> Collection[int]:
        chord = solo.beats[max(bisect_right(times, time) - 1, 0)].chord
        return () if chord is None else chord.pitch_classes

    return _measure(stretch_of(solo.notes, 0.0, seconds), tones, strong, seconds)


def _measure(
    notes: Notes,
    tones: Callable[[float], Collection[int]],
    strong: Sequence[float] | NDArray[np.float64],
    seconds: float,
) -> TakeFigures:
    return TakeFigures(
        chord_tone_share(notes, tones, strong),
        longest_silence(notes, seconds),
        most_repeated_figure(notes, FIGURE),
        len(notes),
    )


def _figures(played: Sequence[TakeFigures], real: Sequence[TakeFigures], seed: int) -> Figures:
    def row(name: str) -> Figures:
        own = np.array([getattr(one, name) for one in played], dtype=np.float64)
        found: Figures = {**value_and_interval(mean(own, seed=seed)), "takes": own.tolist()}
        if real:
            other = np.array([getattr(one, name) for one in real], dtype=np.float64)
            low, high = np.nanpercentile(other, _RANGE)
            found |= {
                "real": float(np.nanmean(other)),
                "real_range": [float(low), float(high)],
                "within": int(((own >= low) & (own <= high)).sum()),
            }
        return found

    silence = [one.silence for one in played]
    return {
        "takes": len(played),
        "real_solos": len(real),
        "chord_tone_share": row("chord_tones"),
        "longest_silence": {**row("silence"), "above_limit": sum(s > LONGEST_SILENCE for s in silence)},
        "most_repeated_figure": row("repeats"),
        "notes": row("notes"),
    }
