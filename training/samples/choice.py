"""Choice of a sample among candidates, by figures alone.

The candidate with the fewest faults is chosen, of several the one with the lowest mean rank over its figures,
of equals the first. Figures are distances: less is better.

- harmony, melody, rhythm: for the parts of theory of the mode, the mean Euclidean distance of the features
  from those of the references; see `training/evaluate/metrics/phrase_features.py`;
- off the chords: the share of notes outside the chord at their onset, where there is a chart.

Faults are the counts of `training/samples/texture.py` that lie beyond their limits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.controls import ModeName, chart_named
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import TOGETHER, onset_times
from tatumflow.training.evaluate.metrics.phrase_features import part_distance, phrase_parts
from tatumflow.training.evaluate.metrics.texture import chord_tone_share
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.samples.requests import Request
from tatumflow.training.samples.texture import Texture, texture_of

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
    """Figures of a candidate.

    Attributes:
        figures: Distances by name; NaN where undefined.
        texture: Counts of its notes.
    """

    figures: dict[str, float]
    texture: Texture

    @property
    def faults(self) -> tuple[str, ...]:
        """Its faults in words."""
        return self.texture.faults


@dataclass(frozen=True)
class Choice:
    """The best of several candidates.

    Attributes:
        index: Its index.
        judgment: Its figures.
        rank: Its mean rank over the distances: 1 where it is nearest in all; NaN without distances.
        ranges: Smallest and largest of each distance over the candidates; NaN where none is defined.
        faultless: Number of candidates without a fault.
    """

    index: int
    judgment: Judgment
    rank: float
    ranges: dict[str, tuple[float, float]]
    faultless: int


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
    return Judgment(figures, texture_of(candidate.notes, candidate.seconds))


def best_of(judgments: Sequence[Judgment]) -> Choice:
    """Return the best of at least one candidate of one request."""
    names = list(judgments[0].figures)
    values = {name: np.array([judgment.figures[name] for judgment in judgments]) for name in names}
    ranks = sum((_ranks(column) for column in values.values()), np.zeros(len(judgments)))
    index = min(range(len(judgments)), key=lambda i: (len(judgments[i].faults), float(ranks[i]), i))
    return Choice(
        index,
        judgments[index],
        float(ranks[index]) / len(names) + 1 if names else float("nan"),
        {name: _range(column) for name, column in values.items()},
        sum(not judgment.faults for judgment in judgments),
    )


def _range(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (float("nan"), float("nan"))


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
