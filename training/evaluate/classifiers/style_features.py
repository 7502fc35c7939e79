"""Features of a player's style: a stretch as a vector of histograms and figures.

Velocities are left out, since one corpus has none and a transcriber's follow the recording: they identify
the corpus or the album rather than the player. Pitch classes are left out, since a continuation has the key
of its primer. Times fall into the classes of `metrics/rhythm.py`, which are blind to a transcriber's frames.
Articulation is measured on the companion's grid, on which a legato that is a few milliseconds short is whole.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.engine.model.tokens import DURATION_TICKS, duration_index, to_ticks
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import first_notes, onset_groups
from tatumflow.training.evaluate.metrics.pitch import (
    PITCH_CLASSES,
    pitch_class_counts,
    pitch_class_entropy,
    pitch_entropy,
)
from tatumflow.training.evaluate.metrics.rhythm import (
    INTERVAL_CLASSES,
    INTERVAL_EDGES,
    groove_similarity,
    rhythm_diversity,
)
from tatumflow.training.evaluate.metrics.texture import sounding_spans

MIDDLE_C: Final = 60
"""MIDI pitch below which notes count as left hand."""

_WIDEST_STEP: Final = 13
_REGISTER: Final = 4
_MOST_TOGETHER: Final = 8
_SPANS: Final = np.array([4, 5, 8, 10, 12, 13, 16, 18, 25, 37])
_LEFT_STEPS: Final = np.array([-19, -12, -7, -4, -2, 0, 1, 3, 5, 8, 13, 20])
_ARTICULATION: Final = np.array([0.25, 0.5, 0.7, 0.85, 1.0, 1.15, 1.5, 2.0, 4.0, 8.0])
_COARSE: Final = 3
_MELODY: Final = ("registers", "top steps", "bottom steps", "contour pairs")
_HARMONY: Final = ("chord sizes", "chord spans", "chord steps", "above the bass", "pitch-class spectrum")
_RHYTHM: Final = ("onset intervals", "onset interval pairs", "note lengths", "articulation")
_LEFT_HAND: Final = ("left chord sizes", "left bass steps", "left intervals", "left registers")


def style_features(notes: NDArray[np.void], seconds: float) -> Floats:
    """Return the features of a stretch, (k,) with the same k for every stretch.

    Histograms are square roots of shares, so that rare values count and distances are Hellinger's.

    Args:
        notes: Notes by onset, (n,) with n > 0, onsets in seconds from the stretch's beginning.
        seconds: Length of the stretch.
    """
    return np.concatenate(list(style_feature_parts(notes, seconds).values()))


def style_feature_parts(notes: NDArray[np.void], seconds: float) -> dict[str, Floats]:
    """Return the features of a stretch as `style_features` does, by name and in the same order."""
    left = notes[notes["pitch"] < MIDDLE_C]
    parts = {
        **dict(zip(_MELODY, _melody(notes), strict=True)),
        **dict(zip(_HARMONY, _harmony(notes), strict=True)),
        **dict(zip(_RHYTHM, _rhythm(notes), strict=True)),
        **dict(zip(_LEFT_HAND, _left_hand(left), strict=True)),
        "densities and spreads": _figures(notes, seconds),
    }
    return {name: np.nan_to_num(part) for name, part in parts.items()}


def _histogram(values: ArrayLike, size: int) -> Floats:
    """Return the square roots of the shares of values 0 to size - 1; those beyond count as the nearest."""
    inside = np.clip(np.asarray(values, dtype=np.int64), 0, size - 1)
    counts = np.bincount(inside, minlength=size).astype(np.float64)
    return np.sqrt(counts / max(len(inside), 1))


def _melody(notes: NDArray[np.void]) -> list[Floats]:
    """Registers; steps of the top and of the bottom voice; contour of the top voice in pairs of steps."""
    pitch = notes["pitch"].astype(np.int64)
    first = first_notes(notes)
    top, bottom = np.maximum.reduceat(pitch, first), np.minimum.reduceat(pitch, first)
    steps = np.diff(top)
    contour = np.sign(steps) * (1 + (np.abs(steps) > 2)) + 2
    return [
        _histogram((pitch - PITCH_LOWEST) // _REGISTER, (PITCH_HIGHEST - PITCH_LOWEST) // _REGISTER + 1),
        _histogram(steps + _WIDEST_STEP, 2 * _WIDEST_STEP + 1),
        _histogram(np.diff(bottom) + _WIDEST_STEP, 2 * _WIDEST_STEP + 1),
        _histogram(5 * contour[:-1] + contour[1:], 25),
    ]


def _harmony(notes: NDArray[np.void]) -> list[Floats]:
    """Notes struck together: how many, how wide, which intervals; Fourier magnitudes of the pitch classes."""
    pitch, group = notes["pitch"].astype(np.int64), onset_groups(notes)
    order = np.lexsort((pitch, group))
    pitch, first = pitch[order], first_notes(notes)
    lowest, size = pitch[first], np.diff(np.append(first, len(pitch)))
    highest = pitch[first + size - 1]
    above = group[1:] == group[:-1]
    shares = pitch_class_counts(notes) / len(notes)
    return [
        _histogram(size - 1, _MOST_TOGETHER),
        _histogram(np.searchsorted(_SPANS, (highest - lowest)[size > 1], side="right"), len(_SPANS) + 1),
        _histogram(np.diff(pitch)[above], _WIDEST_STEP + 1),
        _histogram((pitch - lowest[group])[1:][above] % PITCH_CLASSES, PITCH_CLASSES),
        np.abs(np.fft.fft(shares)[1:7]),
    ]


def _rhythm(notes: NDArray[np.void]) -> list[Floats]:
    """Inter-onset intervals, alone and in pairs; durations, in seconds and against the next onset."""
    first = first_notes(notes)
    onset = notes["onset"].astype(np.float64)[first]
    duration = notes["duration"].astype(np.float64)
    intervals = np.diff(onset)
    classes = np.searchsorted(INTERVAL_EDGES, intervals)
    coarse = classes // _COARSE
    width = INTERVAL_CLASSES // _COARSE + 1
    steps = np.maximum(np.diff(to_ticks(onset)), 1)
    following = np.append(steps, np.inf)[onset_groups(notes)]
    lasting = DURATION_TICKS[duration_index(to_ticks(duration))]
    return [
        _histogram(classes, INTERVAL_CLASSES),
        _histogram(width * coarse[:-1] + coarse[1:], width**2),
        _histogram(np.searchsorted(INTERVAL_EDGES, duration), INTERVAL_CLASSES),
        _histogram(np.searchsorted(_ARTICULATION, lasting / following), len(_ARTICULATION) + 1),
    ]


def _left_hand(notes: NDArray[np.void]) -> list[Floats]:
    """The left hand: sizes of its chords, steps of its bass, their times and registers."""
    pitch, first = notes["pitch"].astype(np.int64), first_notes(notes)
    bass = np.minimum.reduceat(pitch, first) if len(pitch) else pitch
    steps, times = np.diff(bass), np.diff(notes["onset"].astype(np.float64)[first])
    return [
        _histogram(np.diff(np.append(first, len(pitch))) - 1, 5),
        _histogram(np.searchsorted(_LEFT_STEPS, steps, side="right"), len(_LEFT_STEPS) + 1),
        _histogram(np.searchsorted(INTERVAL_EDGES, times), INTERVAL_CLASSES),
        _histogram((bass - PITCH_LOWEST) // _REGISTER, (MIDDLE_C - PITCH_LOWEST) // _REGISTER + 1),
    ]


def _figures(notes: NDArray[np.void], seconds: float) -> Floats:
    """Densities, entropies, and means and spreads of pitch, intervals and durations, on scales near 1."""
    pitch, first = notes["pitch"].astype(np.float64), first_notes(notes)
    duration = notes["duration"].astype(np.float64)
    intervals = np.log(np.maximum(np.diff(notes["onset"].astype(np.float64)[first]), 1e-3))
    lengths = np.log(np.maximum(duration, 1e-3))
    spans = sounding_spans(notes)
    sounding = (spans[:, 1] - spans[:, 0]).sum()
    octaves = [
        part / 12 for part in (pitch, np.maximum.reduceat(pitch, first), np.minimum.reduceat(pitch, first))
    ]
    return np.array(
        [
            np.log(len(notes) / seconds),
            np.log(len(first) / seconds),
            duration.sum() / sounding,
            sounding / seconds,
            pitch_entropy(notes),
            pitch_class_entropy(notes),
            rhythm_diversity(notes),
            groove_similarity(notes, seconds),
            *(figure for part in octaves for figure in (part.mean(), part.std())),
            *((np.median(intervals), intervals.std()) if len(intervals) else (0.0, 0.0)),
            lengths.mean(),
            lengths.std(),
            (pitch < MIDDLE_C).mean(),
        ]
    )
