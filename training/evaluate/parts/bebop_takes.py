"""Improvisations over tunes, and real solos, measured by their bebop vocabulary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.metrics.bebop import Harmony, Line, line_on_beats, vocabulary
from tatumflow.training.evaluate.metrics.phrasing import phrases
from tatumflow.training.evaluate.metrics.pitch import pitch_entropy
from tatumflow.training.evaluate.metrics.rhythm import rhythm_diversity
from tatumflow.training.evaluate.metrics.texture import onset_density
from tatumflow.training.evaluate.parts.beat_figures import measure_beat
from tatumflow.training.evaluate.parts.bebop_tunes import TuneSolo, chart_harmony
from tatumflow.training.evaluate.primers import Notes

SHUFFLES: Final = 20
"""Random orders of the chords over which the level of a wrong harmony is averaged."""

HARMONIC: Final = ("chord_tones", "guide_tones", "passing_tones", "added_tones", "enclosures")
"""The figures that depend on the chords, each of which has a level under shuffled chords."""

_A_HUNDRED: Final = 100.0


@dataclass(frozen=True)
class BebopTake:
    """Figures of one stretch of a line over chords; NaN where it has too few notes for one.

    Attributes:
        chord_tones: Share of chord changes at which the note struck is a chord tone.
        guide_tones: Share at which it is the third or the seventh.
        passing_tones: Chromatic passing tones between beats, in 100 notes.
        added_tones: Those that are the added tone of the chord's bebop scale, in 100 notes.
        passing_off_beat: Share of all chromatic passing tones that fall between beats.
        enclosures: Enclosed chord tones in 100 notes.
        phrase_notes: Mean notes of a phrase, between silences of more than 0.5 s.
        phrase_seconds: Mean seconds of a phrase.
        onsets_a_second: Onsets a second.
        concentration: Concentration of onsets on half beats; see `metrics/beat.py`.
        swing_ratio: Median swing ratio of beats played as two eighths.
        pitch_entropy: Bits.
        rhythm_diversity: Bits.
    """

    chord_tones: float
    guide_tones: float
    passing_tones: float
    added_tones: float
    passing_off_beat: float
    enclosures: float
    phrase_notes: float
    phrase_seconds: float
    onsets_a_second: float
    concentration: float
    swing_ratio: float
    pitch_entropy: float
    rhythm_diversity: float


NAMES: Final = tuple(field.name for field in fields(BebopTake))
"""The figures of a take, in order."""


@dataclass(frozen=True)
class MeasuredTake:
    """A take, its figures, and those that depend on the chords under shuffled chords.

    Attributes:
        tune: The tune.
        notes: The notes, in seconds from the beginning of the form.
        figures: The figures.
        shuffled: Those of `HARMONIC` under shuffled chords, by name.
    """

    tune: str
    notes: Notes
    figures: BebopTake
    shuffled: dict[str, float]


def play_takes(
    performer: Performer,
    tunes: Sequence[TuneSolo],
    controls: Controls,
    *,
    takes: int,
    seconds: float,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[MeasuredTake, ...]:
    """Sample and measure improvisations over the charts of tunes in turn, at the tempos of their solos.

    Args:
        performer: The model.
        tunes: The tunes, at least one.
        controls: How to play; mode, chords, tempo and seed are replaced.
        takes: Number of takes.
        seconds: Longest take; one over the tune of a shorter solo is as long as that.
        seed: Seed of the takes.
        progress: Called with the number of the take.

    Raises:
        ModelFault: if the model's output is not finite.
        SettingError: if the model lacks a style.
    """
    played: list[MeasuredTake] = []
    for i in range(takes):
        progress(f"take {i + 1} of {takes}")
        tune = tunes[i % len(tunes)]
        length = min(seconds, solo_seconds(tune))
        drawn = replace(
            controls, mode="improvise", chords=tune.chart.text, tempo=tune.tempo, seed=seed_of(seed, i)
        )
        notes = performer.improvise(length, drawn)
        harmony = chart_harmony(tune.chart, tune.tempo, ENTRY_SECONDS, length)
        played.append(measured(tune.tune, notes, harmony, length, seed))
    return tuple(played)


def real_takes(solos: Sequence[TuneSolo], seed: int = 0) -> tuple[MeasuredTake, ...]:
    """Measure real solos on their annotated beats and chords."""
    return tuple(measured(solo.tune, solo.notes, solo.harmony, solo_seconds(solo), seed) for solo in solos)


def solo_seconds(solo: TuneSolo) -> float:
    """Return the seconds of a solo to the end of its last note."""
    return float((solo.notes["onset"].astype(np.float64) + solo.notes["duration"]).max())


def measured(tune: str, notes: Notes, harmony: Harmony, seconds: float, seed: int = 0) -> MeasuredTake:
    """Measure notes over a harmony; `seed` is that of the shuffled chords."""
    line = line_on_beats(notes, harmony.beats)
    own = _harmonic(line, harmony)
    rng = np.random.default_rng(seed)
    wrong = [_harmonic(line, harmony.shuffled(rng)) for _ in range(SHUFFLES)]
    beat = measure_beat(notes, harmony.beats)
    found = phrases(notes)
    figures = BebopTake(
        **own,
        phrase_notes=_mean(found.notes),
        phrase_seconds=_mean(found.seconds),
        onsets_a_second=onset_density(notes, seconds),
        concentration=beat.concentration,
        swing_ratio=beat.swing_ratio,
        pitch_entropy=pitch_entropy(notes),
        rhythm_diversity=rhythm_diversity(notes),
    )
    return MeasuredTake(
        tune, notes, figures, {name: _mean(np.array([row[name] for row in wrong])) for name in HARMONIC}
    )


def _harmonic(line: Line, harmony: Harmony) -> dict[str, float]:
    found = vocabulary(line, harmony)
    return {
        "chord_tones": _share(found.chord_tones, found.changes),
        "guide_tones": _share(found.guide_tones, found.changes),
        "passing_tones": _A_HUNDRED * _share(found.passing_off_beat, found.notes),
        "added_tones": _A_HUNDRED * _share(found.added, found.notes),
        "passing_off_beat": _share(found.passing_off_beat, found.passing),
        "enclosures": _A_HUNDRED * _share(found.enclosures, found.notes),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
