"""Figures of stretches of music by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.evaluate.metrics import pitch, repetition, rhythm, texture

Metric = Callable[[NDArray[np.void], float], float]
"""A figure of notes, (n,) with onsets in seconds from the beginning of a stretch, and the stretch's
seconds."""

METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        "pitch_entropy": lambda notes, _: pitch.pitch_entropy(notes),
        "pitch_class_entropy": lambda notes, _: pitch.pitch_class_entropy(notes),
        "rhythm_diversity": lambda notes, _: rhythm.rhythm_diversity(notes),
        "groove_similarity": rhythm.groove_similarity,
        "note_density": texture.note_density,
        "onset_density": texture.onset_density,
        "polyphony": lambda notes, _: texture.polyphony(notes),
        "distinct_voicings": lambda notes, _: texture.distinct_voicings(notes),
        "inter_onset_mean": lambda notes, _: rhythm.inter_onset_statistics(notes).mean,
        "inter_onset_median": lambda notes, _: rhythm.inter_onset_statistics(notes).median,
        "inter_onset_deviation": lambda notes, _: rhythm.inter_onset_statistics(notes).deviation,
        "inter_onset_variability": lambda notes, _: rhythm.inter_onset_statistics(notes).variability,
        "longest_silence": texture.longest_silence,
        "most_repeated_figure": lambda notes, _: float(repetition.most_repeated_figure(notes)),
        "longest_repeat": lambda notes, _: float(repetition.longest_repeat(notes)),
    }
)
"""Every figure that is one number of one stretch; see the module of each."""


def stretch_of(notes: NDArray[np.void], start: float, seconds: float) -> NDArray[np.void]:
    """Return the notes, by onset, that begin in a stretch in seconds, as a copy with onsets from its start.

    A note that lasts longer ends with the stretch.
    """
    onset = notes["onset"].astype(np.float64) - start
    inside = (onset >= 0) & (onset < seconds)
    chosen = notes[inside].copy()
    chosen["onset"] = onset[inside]
    chosen["duration"] = np.minimum(chosen["duration"], seconds - onset[inside])
    return chosen


def metrics_of(notes: NDArray[np.void], seconds: float) -> dict[str, float]:
    """Return every figure of a stretch by name; NaN where it has too few notes for one."""
    return {name: metric(notes, seconds) for name, metric in METRICS.items()}
