"""The key of the moment: the diatonic collection nearest to the last notes."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

PITCH_CLASSES: Final = 12
KEY_NOTES: Final = 64
"""Number of last notes from which the key of the moment is estimated."""

_FIFTHS: Final = np.exp(-2j * np.pi * 5 * np.arange(PITCH_CLASSES) / PITCH_CLASSES)
_C_MAJOR: Final = np.isin(np.arange(PITCH_CLASSES), (0, 2, 4, 5, 7, 9, 11))
_DIATONIC: Final = np.array([_FIFTHS @ np.roll(_C_MAJOR, key) for key in range(PITCH_CLASSES)])


def diatonicity(counts: ArrayLike) -> float:
    """Return how strongly pitch classes concentrate in one diatonic collection, 0 to 1.

    The magnitude of the fifth Fourier coefficient of their shares (Quinn 2006, "General Equal-Tempered
    Harmony"; Amiot 2016, "Music Through Fourier Space").

    Args:
        counts: How often each pitch class sounds, (12,).
    """
    shares = np.asarray(counts, dtype=np.float64)
    return float(abs(_FIFTHS @ shares) / max(shares.sum(), 1e-9))


def key_of(counts: ArrayLike) -> int:
    """Return the tonic, 0 to 11, of the major key nearest to the pitch classes; 0 without any.

    A minor key counts as its relative major. The nearest key is the one in whose direction their fifth
    Fourier coefficient points; of two equally near, the lower.

    Args:
        counts: How often each pitch class sounds, (12,).
    """
    toward = _FIFTHS @ np.asarray(counts, dtype=np.float64)
    return int(np.argmax(np.round(np.real(np.conj(_DIATONIC) * toward), 9)))


def relative_shift(key: int) -> int:
    """Return the semitones, -6 to 5, that transpose music in a key to C."""
    return (6 - key) % PITCH_CLASSES - 6
