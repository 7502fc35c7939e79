"""Choice of a sample among candidates, by figures alone.

The candidate with the fewest faults is chosen, of several the one with the lowest mean rank over its figures,
of equals the first. Figures are distances: less is better.

- harmony, melody, rhythm: for the parts of theory of the mode, the mean Euclidean distance of the features
  from those of the references; see `training/evaluate/metrics/phrase_features.py`;
- off the chords: the share of notes outside the chord at their onset, where there is a chart.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.controls import ModeName, chart_named
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.metrics.onsets import TOGETHER, onset_times
from tatumflow.training.evaluate.metrics.phrase_features import part_distance, phrase_parts
from tatumflow.training.evaluate.metrics.repetition import most_repeated_figure
from tatumflow.training.evaluate.metrics.texture import chord_tone_share, longest_silence, note_density
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.samples.requests import Request

FEWEST_NOTES: Final = 8
"""Fewest notes of a candidate without a fault."""

LONGEST_GAP: Final = 2.0
"""Longest silence of a candidate without a fault, in seconds."""

MOST_REPEATED: Final = 3
"""Largest count of a figure of 8 notes in `REPEATED_WITHIN`: of 926 such stretches of PiJAMA's and Weimar's
validation sides, at most one in a hundred exceeds it."""

REPEATED_WITHIN: Final = 20.0
"""Seconds."""

DENSEST: Final = 18.0
"""Largest number of notes per second: of the same stretches, one in a hundred exceeds it."""

_STEP: Final = REPEATED_WITHIN / 2

COMPARED: Final[dict[ModeName, tuple[str, ...]]] = {
    "answer": ("harmony", "rhythm"),
    "continue": ("harmony", "rhythm"),
    "improvise": ("rhythm",),
    "restyle": ("melody", "rhythm"),
    "reharmonize": ("melody", "rhythm"),
}
"""Parts of theory in which a candidate should resemble its references, by mode."""

OFF_CHORDS: Final = "off the chords"


@dataclass(frozen=True)
class Candidate:
    """A candidate for a request.

    Attributes:
        seed: Its seed.
        notes: Its notes, onsets in seconds from its beginning.
        seconds: Its length.
        chart_begins: Time of the chart's first beat in seconds, on the same clock.
    """

    seed: int
    notes: Notes
    seconds: float
    chart_begins: float = 0.0


@dataclass(frozen=True)
class Judgment:
    """Figures and faults of a candidate.

    Attributes:
        figures: Distances by name; NaN where undefined.
        faults: Its faults in words.
    """

    figures: dict[str, float]
    faults: tuple[str, ...]


def judge(request: Request, candidate: Candidate, references: Sequence[Notes]) -> Judgment:
    """Return the figures and faults of a candidate beside music that it should resemble, if any."""
    notes = candidate.notes
    figures: dict[str, float] = {}
    if references:
        parts = phrase_parts(notes) if len(notes) else {}
        described = [phrase_parts(reference) for reference in references]
        for part in COMPARED[request.mode]:
            distances = [part_distance(parts.get(part), reference[part]) for reference in described]
            figures[part] = float(np.mean(distances))
    if request.chords:
        figures[OFF_CHORDS] = 1.0 - _share_on_chords(request, candidate)
    return Judgment(figures, tuple(_faults(candidate)))


def best_of(judgments: Sequence[Judgment]) -> int:
    """Return the index of the best of at least one candidate of one request."""
    ranks = np.zeros(len(judgments))
    for name in judgments[0].figures:
        ranks += _ranks(np.array([judgment.figures[name] for judgment in judgments]))
    return min(range(len(judgments)), key=lambda i: (len(judgments[i].faults), float(ranks[i]), i))


def _ranks(values: Floats) -> Floats:
    """Return the rank of each value (n,) from 0, equal ones sharing theirs; NaN comes last."""
    filled = np.where(np.isfinite(values), values, np.inf)
    below = (filled[None] < filled[:, None]).sum(axis=1)
    equal = (filled[None] == filled[:, None]).sum(axis=1)
    return below + (equal - 1) / 2


def _share_on_chords(request: Request, candidate: Candidate) -> float:
    chart = chart_named(request.chords)
    clock = ChartClock(chart, request.tempo, candidate.chart_begins)

    def tones(time: float) -> Collection[int]:
        chord = chart.chord_at(clock.beat(time))
        return () if chord is None else chord.pitch_classes

    return chord_tone_share(candidate.notes, tones, onset_times(candidate.notes), TOGETHER)


def _faults(candidate: Candidate) -> list[str]:
    notes, seconds = candidate.notes, candidate.seconds
    if len(notes) < FEWEST_NOTES:
        return [f"only {len(notes)} notes"]
    faults: list[str] = []
    gap = longest_silence(notes, seconds)
    if gap > LONGEST_GAP:
        faults.append(f"{gap:.1f} s of silence")
    starts = np.arange(0.0, max(seconds - REPEATED_WITHIN, 0.0) + _STEP, _STEP).tolist()
    repeated = max(most_repeated_figure(stretch_of(notes, start, REPEATED_WITHIN)) for start in starts)
    density = note_density(notes, seconds)
    if density > DENSEST:
        faults.append(f"{density:.0f} notes a second")
    if repeated > MOST_REPEATED:
        faults.append(f"a figure {repeated} times")
    return faults
