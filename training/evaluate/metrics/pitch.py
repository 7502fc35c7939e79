"""Distributions of pitches, and of transitions between pitch classes."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import onset_groups

PITCH_CLASSES: Final = 12

SMOOTHING: Final = 1.0
"""Notes added to each pitch class before distributions are compared (Laplace), so that the divergence is
finite where a pitch class is missing."""


def pitch_class_counts(notes: NDArray[np.void]) -> Floats:
    """Return the notes of each pitch class, (12,), from C (Yang and Lerch 2020, pitch class histogram)."""
    return np.bincount(notes["pitch"].astype(np.int64) % PITCH_CLASSES, minlength=PITCH_CLASSES).astype(
        np.float64
    )


def kl_divergence(reference: ArrayLike, other: ArrayLike, smoothing: float = SMOOTHING) -> float:
    """Return the Kullback-Leibler divergence of counts (k,) from the reference's (k,), in nats.

    KL(reference ‖ other): the cost in nats of predicting the reference by `other`. `smoothing`, above 0, is
    added to each count.
    """
    p, q = (np.asarray(counts, dtype=np.float64) + smoothing for counts in (reference, other))
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    return float((p * np.log(p / q)).sum(axis=-1))


def pitch_class_transitions(notes: NDArray[np.void]) -> Floats:
    """Return the transitions between pitch classes, (12, 12), from row to column.

    Yang and Lerch (2020), pitch class transition matrix, of all voices: between one onset and the next every
    pitch class of the first leads to every one of the second, each by an equal share of one transition. So
    chords weigh no more than single notes, and no voice has to be picked.
    """
    if not len(notes):
        return np.zeros((PITCH_CLASSES, PITCH_CLASSES))
    groups = onset_groups(notes)
    profile = np.zeros((groups[-1] + 1, PITCH_CLASSES))
    np.add.at(profile, (groups, notes["pitch"].astype(np.int64) % PITCH_CLASSES), 1.0)
    profile /= profile.sum(axis=1, keepdims=True)
    return profile[:-1].T @ profile[1:]


def transition_cosine(one: Floats, other: Floats) -> float:
    """Return the cosine of two transition matrices (12, 12) as vectors of 144, each row summing to 1.

    NaN where one of them has no transition.
    """
    a, b = (_rows_to_one(matrix).ravel() for matrix in (one, other))
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else float("nan")


def entropy(counts: ArrayLike) -> float:
    """Return the Shannon entropy of counts in bits; NaN of none."""
    mass = np.asarray(counts, dtype=np.float64).ravel()
    if not mass.sum() > 0:
        return float("nan")
    share = mass[mass > 0] / mass.sum()
    return float(-(share * np.log2(share)).sum())


def pitch_entropy(notes: NDArray[np.void]) -> float:
    """Return the entropy in bits of the MIDI pitches played (MusPy, Dong et al. 2020)."""
    return entropy(np.bincount(notes["pitch"], minlength=1))


def pitch_class_entropy(notes: NDArray[np.void]) -> float:
    """Return the entropy in bits of the pitch classes played (Wu and Yang 2020, H)."""
    return entropy(pitch_class_counts(notes))


def _rows_to_one(matrix: Floats) -> Floats:
    total = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
