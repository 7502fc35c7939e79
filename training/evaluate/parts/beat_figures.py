"""Timing of the companion's lines: takes over charts beside real solos on their annotated beats.

By tempo: concentration of onsets on half beats, swing ratio of eighths, and lateness of onsets near a beat.
The beats of a take are those of its chart.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.training.data.corpora.wjazzd_beats import read_solos
from tatumflow.training.evaluate.bootstrap import Floats, mean, ratio_of_independent_means
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.metrics.beat import (
    asynchronies,
    concentration,
    place_onsets,
    swing_ratios,
    tempo_of,
)
from tatumflow.training.evaluate.metrics.onsets import onset_times
from tatumflow.training.evaluate.primers import Notes

BANDS: Final = ((140.0, 180.0), (180.0, 240.0))
"""Bands of tempo in beats per minute: from, and up to but not including."""

TEMPOS: Final = (150.0, 190.0, 165.0, 210.0, 175.0, 230.0)
"""Tempos of successive takes, repeated in this order."""

CHARTS: Final = ("blues in F", "rhythm changes", "ii-V-I in G")
"""Charts of successive takes."""

BEAT_TAKES: Final = 12
"""Number of takes over all tempos, charts and styles."""

BEAT_SECONDS: Final = 30.0
"""Length of a take."""

_FEWEST_EIGHTHS: Final = 4
_MIDDLE_HALF: Final = (25.0, 75.0)
_MS: Final = 1000.0
_NAMES: Final = ("concentration", "swing_ratio", "asynchrony_ms", "asynchrony_spread_ms", "onsets")


@dataclass(frozen=True)
class BeatTake:
    """Figures of notes on known beats; NaN of too few notes.

    Attributes:
        tempo: Beats per minute.
        concentration: Concentration of onsets on half beats; see `metrics/beat.py`.
        swing_ratio: Median swing ratio of beats played as two eighths.
        asynchrony_ms: Median lateness of onsets near a beat, in milliseconds.
        asynchrony_spread_ms: Its standard deviation.
        onsets: Number of onsets between the first and the last beat.
    """

    tempo: float
    concentration: float
    swing_ratio: float
    asynchrony_ms: float
    asynchrony_spread_ms: float
    onsets: int


def measure_beat(notes: Notes, beats: Sequence[float] | Floats) -> BeatTake:
    """Measure notes by onset on ascending beats in seconds; notes struck together count once."""
    placed = place_onsets(onset_times(notes), beats)
    ratios, late = swing_ratios(placed), _MS * asynchronies(placed)
    return BeatTake(
        tempo=tempo_of(beats),
        concentration=concentration(placed),
        swing_ratio=float(np.median(ratios)) if len(ratios) >= _FEWEST_EIGHTHS else float("nan"),
        asynchrony_ms=float(np.median(late)) if len(late) else float("nan"),
        asynchrony_spread_ms=float(late.std()) if len(late) else float("nan"),
        onsets=len(placed.place),
    )


def beat_takes(
    performer: Performer,
    styles: Sequence[str],
    controls: Controls,
    *,
    takes: int = BEAT_TAKES,
    seconds: float = BEAT_SECONDS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[BeatTake, ...]:
    """Sample improvisations over charts, and measure each on the chart's beats.

    Args:
        performer: The model.
        styles: Slugs of the styles of successive takes; empty for none.
        controls: How to play; mode, chords, tempo, style and seed are replaced.
        takes: Number of takes.
        seconds: Length of a take.
        seed: Seed of the takes.
        progress: Called with the number of the take.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    measured: list[BeatTake] = []
    for i in range(takes):
        progress(f"take {i + 1} of {takes}")
        tempo = TEMPOS[i % len(TEMPOS)]
        style = styles[i % len(styles)] if styles else ""
        chords = CHARTS[(i + i // len(TEMPOS)) % len(CHARTS)]
        drawn = replace(
            controls, mode="improvise", style=style, chords=chords, tempo=tempo, seed=seed_of(seed, i)
        )
        beats = np.arange(0.0, seconds + 60.0 / tempo, 60.0 / tempo)
        measured.append(measure_beat(performer.improvise(seconds, drawn), beats))
    return tuple(measured)


def real_beats(solos: Path) -> dict[str, BeatTake]:
    """Measure every solo of the Weimar Jazz Database on its beats, by the name of its file.

    Raises:
        CorpusError: if the database cannot be read.
    """
    return {
        solo.name: measure_beat(solo.notes, [beat.time for beat in solo.beats]) for solo in read_solos(solos)
    }


def beat_figures(
    played: Sequence[BeatTake], real: Mapping[str, BeatTake], held_out: Collection[str] = (), seed: int = 0
) -> Figures:
    """Compare takes with real solos, by tempo.

    Args:
        played: The companion's takes.
        real: Real solos by name.
        held_out: Names of those that the model was not trained on.
        seed: Seed of the resampling.

    Returns:
        By band, as "140-180", and "all" for 140 to 240: `takes`, `solos` and `held_out`, their numbers; and
        of each figure of `BeatTake` `companion`, `player`, of all real solos since few are held out, and
        `held_out`, of those, as means with an `interval`; the `ratio` of companion to player with its
        interval; and `middle_half`, the quartiles of the real solos.
    """
    bands = {f"{low:g}-{high:g}": (low, high) for low, high in BANDS}
    figures: Figures = {}
    for band, (low, high) in {**bands, "all": (BANDS[0][0], BANDS[-1][1])}.items():
        own = [one for one in played if low <= one.tempo < high]
        other = {name: one for name, one in real.items() if low <= one.tempo < high}
        unseen = [one for name, one in other.items() if name in held_out]
        rows: Figures = {"takes": len(own), "solos": len(other), "held_out": len(unseen)}
        for name in _NAMES:
            companion, player, kept = (
                np.array([getattr(one, name) for one in side], dtype=np.float64)
                for side in (own, other.values(), unseen)
            )
            known = player[np.isfinite(player)]
            rows[name] = {
                "companion": value_and_interval(mean(companion, seed=seed)),
                "player": value_and_interval(mean(player, seed=seed)),
                "held_out": value_and_interval(mean(kept, seed=seed)),
                "ratio": value_and_interval(ratio_of_independent_means(companion, player, seed=seed)),
                "middle_half": np.percentile(known, _MIDDLE_HALF).tolist() if len(known) else [],
            }
        figures[band] = rows
    return figures
