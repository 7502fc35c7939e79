"""Figures of traded bars: the companion's answers to lines and to chords, beside the solo's own bars."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from tatumflow.training.evaluate.bootstrap import Floats, mean, median, ratio_of_means
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.metrics.bebop import line_on_beats, vocabulary
from tatumflow.training.evaluate.metrics.texture import chord_tone_share
from tatumflow.training.evaluate.parts.beat_figures import measure_beat
from tatumflow.training.evaluate.parts.bebop_tunes import chart_harmony
from tatumflow.training.evaluate.parts.trading_takes import Take
from tatumflow.training.evaluate.parts.trading_tunes import (
    BAR_BEATS,
    BEATS,
    ROUNDS,
    TURN_BEATS,
    TradedTune,
)
from tatumflow.training.evaluate.primers import Notes

LATEST_ENTRY: Final = 1.0
"""Beats after its bar line up to which an answer begins on time."""

OVERHANG: Final = 0.05
"""Seconds after its last bar line up to which an answer ends on time."""

_A_HUNDRED: Final = 100.0
_ROUNDING: Final = 0.01


@dataclass(frozen=True)
class TradedBars:
    """Figures of what was played in the companion's bars of a take; NaN of too few notes.

    Attributes:
        concentration: Concentration of onsets on half beats; see `metrics/beat.py`.
        swing_ratio: Median swing ratio of beats played as two eighths.
        notes_a_beat: Onsets a beat.
        chord_tones: Share of chord tones among the notes on the first and third beats of the bars.
        passing_tones: Chromatic passing tones between beats, in 100 notes.
        enclosures: Enclosed chord tones in 100 notes.
    """

    concentration: float
    swing_ratio: float
    notes_a_beat: float
    chord_tones: float
    passing_tones: float
    enclosures: float


@dataclass(frozen=True)
class Answer:
    """When one answer came and ended; NaN without a note.

    Attributes:
        first_note: Beats from its bar line to its first note.
        begins_on_time: 1 if that is at most `LATEST_ENTRY`, else 0; 0 without a note.
        ends_on_time: 1 if no note sounds more than `OVERHANG` seconds beyond its last bar line, else 0.
    """

    first_note: float
    begins_on_time: float
    ends_on_time: float


BAR_NAMES: Final = tuple(field.name for field in fields(TradedBars))
"""The figures that the solo's bars have too, in order."""


def measure_bars(notes: Notes, tune: TradedTune) -> TradedBars:
    """Measure what was played in the companion's bars over a tune, seconds from the first beat."""
    beats: Floats = tune.period * np.arange(BEATS + 1, dtype=np.float64)
    beat = measure_beat(notes, beats)
    harmony = chart_harmony(tune.chart, tune.tempo, 0.0, tune.seconds)
    words = vocabulary(line_on_beats(notes, harmony.beats), harmony)
    share = _A_HUNDRED / words.notes if words.notes else float("nan")

    def tones(time: float) -> Collection[int]:
        chord = tune.chart.chord_at(round(time / tune.period))
        return () if chord is None else chord.pitch_classes

    strong = [at for at in range(BEATS) if at // TURN_BEATS % 2 == 1 and at % BAR_BEATS in (0, 2)]
    return TradedBars(
        concentration=beat.concentration,
        swing_ratio=beat.swing_ratio,
        notes_a_beat=beat.onsets / (ROUNDS * TURN_BEATS),
        chord_tones=chord_tone_share(notes, tones, beats[strong]),
        passing_tones=share * words.passing_off_beat,
        enclosures=share * words.enclosures,
    )


def answers_of(take: Take) -> tuple[Answer, ...]:
    """Return the answers of a take, each from its bar line to the companion's next."""
    period = take.tune.period
    onset = take.notes["onset"].astype(np.float64)
    turn = (onset / period + _ROUNDING - TURN_BEATS) // (2 * TURN_BEATS)
    return tuple(_answer(take.notes[turn == i], (2 * i + 1) * TURN_BEATS, period) for i in range(ROUNDS))


def trading_figures(
    lines: Sequence[Take], chords: Sequence[Take], held_out: Collection[str] = (), seed: int = 0
) -> Figures:
    """Compare the companion's answers with the solos' own bars.

    Args:
        lines: Takes in which the player plays the solo's bars.
        chords: Takes in which the player plays the chart's chords.
        held_out: Names of the solos that the model was not trained on.
        seed: Seed of the resampling, by tune.

    Returns:
        `trading`: `tunes` and those `held_out` among them; and of `lines` and `chords` the numbers of `takes`
        and `answers`, of those `silent` ones, without a note, and `figures`: of each of `BAR_NAMES` the means
        `companion` and `player`, of the solo in the companion's bars, and the `ratio` of the two over the
        takes that have both, each with an `interval`; and with `companion` alone `first_note`, a median, and
        `begins_on_time` and `ends_on_time`, shares of the answers. See `TradedBars` and `Answer`.
    """
    takes = [*lines, *chords]
    return {
        "trading": {
            "tunes": sorted({take.tune.tune for take in takes}),
            "held_out": sorted({take.tune.tune for take in takes if take.tune.name in held_out}),
            "lines": _figures(lines, seed),
            "chords": _figures(chords, seed),
        }
    }


def _figures(takes: Sequence[Take], seed: int) -> Figures:
    tunes = [take.tune.tune for take in takes]
    companion = [measure_bars(take.notes, take.tune) for take in takes]
    player = [measure_bars(take.tune.answer, take.tune) for take in takes]
    rows: Figures = {}
    for name in BAR_NAMES:
        own, real = (_column(side, name) for side in (companion, player))
        rows[name] = {
            "companion": value_and_interval(mean(own, groups=tunes, seed=seed)),
            "player": value_and_interval(mean(real, groups=tunes, seed=seed)),
            "ratio": value_and_interval(ratio_of_means(own, real, groups=tunes, seed=seed)),
        }
    answers = [answer for take in takes for answer in answers_of(take)]
    groups = [tune for tune in tunes for _ in range(ROUNDS)]
    for name, statistic in (("first_note", median), ("begins_on_time", mean), ("ends_on_time", mean)):
        figure = statistic(_column(answers, name), groups=groups, seed=seed)
        rows[name] = {"companion": value_and_interval(figure)}
    silent = sum(bool(np.isnan(answer.first_note)) for answer in answers)
    return {"takes": len(takes), "answers": len(answers), "silent": silent, "figures": rows}


def _answer(notes: Notes, line: int, period: float) -> Answer:
    """Return the answer of notes whose turn begins on the beat `line`."""
    if not len(notes):
        return Answer(float("nan"), 0.0, float("nan"))
    onset = notes["onset"].astype(np.float64)
    # Onsets are float32: without rounding, one on the line lies a millionth beside it.
    first = round(float(onset.min()) / period - line, 4) + 0.0
    over = float((onset + notes["duration"]).max()) - (line + TURN_BEATS) * period
    return Answer(first, float(first <= LATEST_ENTRY), float(over <= OVERHANG))


def _column(rows: Sequence[object], name: str) -> Floats:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)
