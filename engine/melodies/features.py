"""What a melody is like: features for comparison, distances, and the shares of players in it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.melodies.melody import FIRST_PITCH, HOLD, STEPS_PER_BAR, Melody, pitch_of

_WIDEST: Final = 12
_LONGEST: Final = 8
_OCTAVE: Final = 12

NUM_STYLE_FEATURES: Final = (2 * _WIDEST + 1) + STEPS_PER_BAR + _LONGEST + 9 + 5
"""Number of the features of `style_features`."""


@dataclass(frozen=True)
class MelodyFeatures:
    """Figures of a melody.

    Attributes:
        density: Notes a bar.
        mean_pitch: Mean MIDI pitch; NaN without notes.
        sounding: Share of the steps on which a note sounds.
        pitch_classes: Share of each pitch class in the sounding steps, (12,); zeros without notes.
    """

    density: float
    mean_pitch: float
    sounding: float
    pitch_classes: NDArray[np.float64]


def features_of(melody: Melody) -> MelodyFeatures:
    """Return the figures of a melody."""
    notes = melody.notes()
    pitch = sounding_pitch(melody.array)
    heard = pitch[pitch > 0]
    counts = np.bincount(heard % _OCTAVE, minlength=_OCTAVE).astype(np.float64)
    return MelodyFeatures(
        density=len(notes) / melody.bars,
        mean_pitch=float(np.mean([note.pitch for note in notes])) if notes else float("nan"),
        sounding=len(heard) / len(pitch),
        pitch_classes=counts / max(len(heard), 1),
    )


def pitch_class_distance(one: MelodyFeatures, other: MelodyFeatures) -> float:
    """Return the total variation distance of two melodies' pitch classes, 0 to 1."""
    return float(0.5 * np.abs(one.pitch_classes - other.pitch_classes).sum())


def sounding_pitch(events: Ints) -> Ints:
    """Return the MIDI pitch that sounds on each step, 0 for a rest, of events (..., steps)."""
    steps = np.arange(events.shape[-1])
    last = np.maximum.accumulate(np.where(events == HOLD, -1, steps), axis=-1)
    held = np.take_along_axis(events, np.maximum(last, 0), axis=-1)
    return np.where((last >= 0) & (held >= FIRST_PITCH), pitch_of(0) + held, 0)


def distance(one: Ints, other: Ints) -> NDArray[np.float64]:
    """Return the share of the steps on which melodies (..., steps) do not sound the same pitch or rest."""
    return (sounding_pitch(one) != sounding_pitch(other)).mean(axis=-1)


def style_features(melody: Melody) -> Floats:
    """Return features of a melody's style, (NUM_STYLE_FEATURES,) float32.

    Histograms, as square roots of shares, of melodic steps, places of onsets in the bar, note lengths, and
    contours in pairs of steps; then density, rests, range, and mean and spread of the steps. Register and key
    are left out: they are the instrument's and the tune's.
    """
    notes = melody.notes()
    pitch = np.array([note.pitch for note in notes], np.int64)
    length = np.array([note.steps for note in notes], np.int64)
    onset = np.array([note.step for note in notes], np.int64)
    steps = np.diff(pitch)
    turns = np.sign(steps) + 1
    figures = np.array(
        [
            len(notes) / melody.bars / 8,
            (sounding_pitch(melody.array) == 0).mean(),
            np.ptp(pitch) / _OCTAVE if len(pitch) else 0.0,
            np.abs(steps).mean() / 4 if len(steps) else 0.0,
            steps.std() / 4 if len(steps) else 0.0,
        ]
    )
    parts = [
        _histogram(steps + _WIDEST, 2 * _WIDEST + 1),
        _histogram(onset % STEPS_PER_BAR, STEPS_PER_BAR),
        _histogram(length - 1, _LONGEST),
        _histogram(3 * turns[:-1] + turns[1:], 9),
        figures,
    ]
    return np.concatenate(parts).astype(np.float32)


def _histogram(values: Ints, size: int) -> NDArray[np.float64]:
    counts = np.bincount(np.clip(values, 0, size - 1), minlength=size)
    return np.sqrt(counts / max(len(values), 1))
