"""Key of a stretch: its clarity, its fit to another stretch, and its modulations.

A flat distribution of pitch classes is near to any other, so a divergence alone rewards a lost key; these
figures fall with it.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.theory.key import FIFTHS, KEY_PROFILES
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.pitch import PITCH_CLASSES, pitch_class_counts

KEYS: Final = 24
"""Major keys from C, then minor keys from C."""

WINDOW_SECONDS: Final = 4.0
"""Seconds of notes for the estimate of a local key."""

STEP_SECONDS: Final = 1.0
"""Seconds from one local key to the next."""

CHANGE_COST: Final = 1.0
"""Cost of a change of key, in correlations: a key stays until others fit better for some seconds."""

SECONDS_A_MINUTE: Final = 60.0

_FEWEST: Final = 4


def fifths_coefficient(counts: ArrayLike) -> complex:
    """Return the fifth Fourier coefficient of the shares of pitch-class counts (12,); NaN of none.

    Its magnitude, 0 to 1, is how diatonic they are: 0.53 for a major scale played evenly, 1 for one pitch
    class, 0 for all twelve. Its phase is the place on the circle of fifths (Amiot 2016, "Music Through
    Fourier Space", chapter 5).
    """
    mass = np.asarray(counts, dtype=np.float64)
    if not mass.sum() > 0:
        return complex("nan")
    return complex((mass / mass.sum()) @ FIFTHS)


def diatonicity(notes: NDArray[np.void]) -> float:
    """Return the magnitude of the fifth Fourier coefficient of the notes' pitch-class shares, 0 to 1."""
    return abs(fifths_coefficient(pitch_class_counts(notes)))


def windowed_diatonicity(notes: NDArray[np.void], seconds: float) -> float:
    """Return the mean diatonicity of successive windows of `WINDOW_SECONDS`; NaN of none.

    It stays high through modulations, so a line without a key differs from one that changes its key.
    """
    windows = _windows(notes, seconds, WINDOW_SECONDS)
    values = [abs(fifths_coefficient(row)) for row in windows if row.sum() >= _FEWEST]
    return float(np.mean(values)) if values else float("nan")


def key_fits(counts: ArrayLike) -> Floats:
    """Return the correlation of pitch-class counts with the profile of each key, (24,); 0 of even counts.

    Krumhansl and Schmuckler (Krumhansl 1990, "Cognitive Foundations of Musical Pitch", chapter 4).
    """
    mass = np.asarray(counts, dtype=np.float64)
    centred = mass - mass.mean()
    norm = float(np.linalg.norm(centred))
    return KEY_PROFILES @ centred / norm if norm > 0 else np.zeros(KEYS)


def estimated_key(counts: ArrayLike) -> int:
    """Return the key that pitch-class counts fit best: 0 to 11 major from C, 12 to 23 minor from C."""
    return int(key_fits(counts).argmax())


def same_key(notes: NDArray[np.void], others: NDArray[np.void]) -> float:
    """Return 1 where two stretches are in one key, else 0; NaN where one has no notes."""
    if not len(notes) or not len(others):
        return float("nan")
    return float(estimated_key(pitch_class_counts(notes)) == estimated_key(pitch_class_counts(others)))


def key_fit_to(notes: NDArray[np.void], others: NDArray[np.void]) -> float:
    """Return the correlation of notes with the profile of the key of other notes."""
    if not len(notes) or not len(others):
        return float("nan")
    return float(key_fits(pitch_class_counts(notes))[estimated_key(pitch_class_counts(others))])


def pitch_class_cosine(notes: NDArray[np.void], others: NDArray[np.void]) -> float:
    """Return the cosine of two stretches' pitch-class counts; NaN where one has no notes."""
    one, other = pitch_class_counts(notes), pitch_class_counts(others)
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norm if norm > 0 else float("nan")


def fifths_agreement(notes: NDArray[np.void], others: NDArray[np.void]) -> float:
    """Return the cosine of the angle between two stretches on the circle of fifths, -1 to 1.

    0 is the mean of unrelated keys, at any diatonicity.
    """
    one, other = (fifths_coefficient(pitch_class_counts(side)) for side in (notes, others))
    norm = abs(one) * abs(other)
    return float((one * other.conjugate()).real / norm) if norm > 0 else float("nan")


def key_path(notes: NDArray[np.void], seconds: float) -> NDArray[np.int64]:
    """Return the local key at each of the windows of `WINDOW_SECONDS` that begin every `STEP_SECONDS`, (w,).

    The path is the one with the highest sum of correlations less `CHANGE_COST` for each change (Viterbi).
    """
    windows = _windows(notes, seconds, STEP_SECONDS)
    if not len(windows):
        return np.zeros(0, dtype=np.int64)
    fits = np.array([key_fits(row) for row in windows])
    best = fits[0]
    back: list[NDArray[np.int64]] = []
    for row in fits[1:]:
        top = int(best.argmax())
        stays = best >= best[top] - CHANGE_COST
        back.append(np.where(stays, np.arange(KEYS), top))
        best = np.where(stays, best, best[top] - CHANGE_COST) + row
    path = [int(best.argmax())]
    for row in reversed(back):
        path.append(int(row[path[-1]]))
    return np.array(path[::-1], dtype=np.int64)


def modulations_per_minute(notes: NDArray[np.void], seconds: float) -> float:
    """Return how often the local key changes in a minute; NaN of a stretch shorter than two windows."""
    path = key_path(notes, seconds)
    if len(path) < 2 or not len(notes):
        return float("nan")
    return float((np.diff(path) != 0).sum()) * SECONDS_A_MINUTE / (len(path) * STEP_SECONDS)


def _windows(notes: NDArray[np.void], seconds: float, step: float) -> Floats:
    """Return the pitch-class counts of windows of `WINDOW_SECONDS` that begin every `step`, (w, 12)."""
    count = int((seconds - WINDOW_SECONDS) / step + 1e-9) + 1
    onset = notes["onset"].astype(np.float64)
    rows = [
        pitch_class_counts(notes[(onset >= i * step) & (onset < i * step + WINDOW_SECONDS)])
        for i in range(max(count, 0))
    ]
    return np.array(rows).reshape(-1, PITCH_CLASSES)
