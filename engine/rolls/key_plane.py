"""The key of a roll as an input of its cells: how usual each pitch class is.

A patch of 16 pitches is no octave, so a level cannot read the key off its tokens alone. This plane says it
row by row, at every level.
"""

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.patches import KEY, KNOWN, Floats
from tatumflow.engine.theory.key import MAJOR, MINOR, PITCH_CLASSES, parse_key


def key_of_known(planes: Floats) -> Floats:
    """Return how usual each pitch class is among the known cells of rolls, (B, 12).

    Args:
        planes: Inputs of the cells, (B, 128, W, PLANES).

    Returns:
        12 times the share of the sounding cells, less 1: 0 on average, and everywhere where nothing sounds.
    """
    sounding = (planes[..., :2].any(axis=-1) & (planes[..., KNOWN] > 0)).sum(axis=2)
    return key_weights(sounding)


def key_weights(sounding: NDArray) -> Floats:
    """Return how usual each pitch class is, (B, 12), from numbers of sounding cells by pitch, (B, 128)."""
    counts = np.zeros((len(sounding), PITCH_CLASSES), np.float32)
    for pitch_class in range(PITCH_CLASSES):
        counts[:, pitch_class] = sounding[:, pitch_class::PITCH_CLASSES].sum(axis=1)
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, PITCH_CLASSES * counts / np.maximum(total, 1) - 1, 0).astype(np.float32)


def key_requested(key: str) -> Floats:
    """Return how usual each pitch class is in a key by name, such as "Eb" or "C minor", (12,).

    Raises:
        SettingError: if it is none.
    """
    tonic, minor = parse_key(key)
    profile = np.roll(MINOR if minor else MAJOR, tonic)
    return (PITCH_CLASSES * profile / profile.sum() - 1).astype(np.float32)


def with_key(planes: Floats, weights: Floats) -> Floats:
    """Return planes (B, 128, W, PLANES) with the key of weights (B, 12)."""
    keyed = planes.copy()
    rows = weights[:, np.arange(planes.shape[1]) % PITCH_CLASSES]
    keyed[..., KEY] = rows[:, :, None]
    return keyed
