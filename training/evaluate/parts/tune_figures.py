"""Improvisations over whole tunes of different forms: whether they fit the chords and end with the form."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.harmony.chart import Bar, Chart
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS
from tatumflow.training.evaluate.bootstrap import mean
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.generations import Notes, Performer, seed_of
from tatumflow.training.evaluate.metrics.texture import chord_tone_share

TUNES: Final = (
    "blues in F",
    "rhythm changes in Bb",
    "minor blues in C",
    "ii-V-I in C",
    "bird blues in F",
    "modal AABA in D",
    "turnarounds in C",
    "minor ii-V-I in C",
    "basic blues in G",
    "Dm7 | G7 | Em7 | A7 | Fm7 | Bb7 | Cmaj7 | A7",
)
"""Tunes of successive takes."""

TEMPOS: Final = (140.0, 180.0, 220.0)
"""Beats per minute of successive takes."""

FEWEST_SECONDS: Final = 20.0
"""Seconds that the choruses of a take last at least."""

_SHUFFLES: Final = 8
_LAST_BARS: Final = 1.5
_NEAR: Final = 0.06


@dataclass(frozen=True)
class TuneTake:
    """Figures of a take over whole choruses.

    Attributes:
        chord_tones: Share of chord tones among the notes on the first and third beats of bars.
        wrong: The same over the chart's bars in random order, the mean of some orders.
        ends: Whether the last note begins in the last bar and a half of the form and does not last beyond it.
    """

    chord_tones: float
    wrong: float
    ends: bool


def tune_figures(
    performer: Performer,
    styles: Sequence[str],
    *,
    tunes: Sequence[str] = TUNES,
    seconds: float = FEWEST_SECONDS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Return figures of a take over each tune in each style.

    Args:
        performer: The model.
        styles: Slugs of the styles; empty for none.
        tunes: Charts by name or text.
        seconds: What the choruses of a take last at least.
        seed: Seed of the takes.
        progress: Called with the number of the take.

    Returns:
        `takes`, their number; `chord_tone_share`, `wrong_chords` and their difference `lift`, means with an
        `interval`; and `ends`, the share of takes that end with the form.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    played = [(tune, style) for tune in tunes for style in styles or ("",)]
    takes: list[TuneTake] = []
    for i, (tune, style) in enumerate(played):
        progress(f"tune {i + 1} of {len(played)}")
        controls = Controls(
            mode="improvise", style=style, chords=tune, tempo=TEMPOS[i % len(TEMPOS)], seed=seed_of(seed, i)
        )
        takes.append(_measured(performer, controls, seconds, np.random.default_rng((seed, i))))
    own, wrong = (np.array([getattr(take, name) for take in takes]) for name in ("chord_tones", "wrong"))
    return {
        "takes": len(takes),
        "chord_tone_share": value_and_interval(mean(own, seed=seed)),
        "wrong_chords": value_and_interval(mean(wrong, seed=seed)),
        "lift": value_and_interval(mean(own - wrong, seed=seed)),
        "ends": value_and_interval(mean(np.array([float(take.ends) for take in takes]), seed=seed)),
    }


def _measured(performer: Performer, controls: Controls, seconds: float, rng: np.random.Generator) -> TuneTake:
    chart, beat = chart_named(controls.chords), 60.0 / controls.tempo
    choruses = max(ceil(seconds / (chart.beats * beat)), 1)
    length = choruses * chart.beats * beat
    notes = performer.improvise(length, controls, form=True)
    bar = chart.beats_per_bar * beat
    ends_at = ENTRY_SECONDS + length
    last = float(notes["onset"].max()) if len(notes) else 0.0
    sounds_to = float((notes["onset"] + notes["duration"]).max()) if len(notes) else 0.0
    orders = (replace(chart, bars=_shuffled(chart, rng), sections=()) for _ in range(_SHUFFLES))
    return TuneTake(
        _share(notes, chart, beat, length),
        float(np.mean([_share(notes, order, beat, length) for order in orders])),
        last >= ends_at - _LAST_BARS * bar and sounds_to <= ends_at + _NEAR,
    )


def _shuffled(chart: Chart, rng: np.random.Generator) -> tuple[Bar, ...]:
    return tuple(chart.bars[i] for i in rng.permutation(len(chart.bars)))


def _share(notes: Notes, chart: Chart, beat: float, length: float) -> float:
    """Return the share of chord tones on strong beats."""

    def tones(time: float) -> Collection[int]:
        chord = chart.chord_at((time - ENTRY_SECONDS + _NEAR) / beat)
        return () if chord is None else chord.pitch_classes

    strong = np.arange(0.0, length, 2 * beat) + ENTRY_SECONDS
    return chord_tone_share(notes, tones, strong)
