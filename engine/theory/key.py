"""Keys: the one of the moment, the diatonic collection nearest to the last notes, and those with names."""

import re
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.errors import SettingError

PITCH_CLASSES: Final = 12
KEY_NOTES: Final = 64
"""Number of last notes from which the key of the moment is estimated."""

MAJOR: Final = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR: Final = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""Key profiles: fit of each pitch class above the tonic, (12,) (Krumhansl and Kessler 1982)."""

_KEY_NAME: Final = re.compile(r"([A-Ga-g])([b#♭♯]?)\s*(m|min|minor|maj|major|)", re.IGNORECASE)
_NATURAL: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FIFTHS: Final = np.exp(-2j * np.pi * 5 * np.arange(PITCH_CLASSES) / PITCH_CLASSES)
"""Phasors of the fifth Fourier coefficient of pitch classes, (12,) complex: the circle of fifths."""

_C_MAJOR: Final = np.isin(np.arange(PITCH_CLASSES), (0, 2, 4, 5, 7, 9, 11))
_DIATONIC: Final = np.array([FIFTHS @ np.roll(_C_MAJOR, key) for key in range(PITCH_CLASSES)])


def _key_profiles() -> NDArray[np.float64]:
    rows = np.array([np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(PITCH_CLASSES)])
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


KEY_PROFILES: Final = _key_profiles()
"""Profiles of the major keys from C, then of the minor ones, (24, 12), each of mean 0 and norm 1: their
products with pitch-class counts of mean 0 and norm 1 are correlations (Krumhansl 1990, chapter 4)."""


def diatonicity(counts: ArrayLike) -> float:
    """Return how strongly pitch classes concentrate in one diatonic collection, 0 to 1.

    The magnitude of the fifth Fourier coefficient of their shares (Quinn 2006, "General Equal-Tempered
    Harmony"; Amiot 2016, "Music Through Fourier Space").

    Args:
        counts: How often each pitch class sounds, (12,).
    """
    shares = np.asarray(counts, dtype=np.float64)
    return float(abs(FIFTHS @ shares) / max(shares.sum(), 1e-9))


def key_of(counts: ArrayLike) -> int:
    """Return the tonic, 0 to 11, of the major key nearest to the pitch classes; 0 without any.

    A minor key counts as its relative major. The nearest key is the one in whose direction their fifth
    Fourier coefficient points; of two equally near, the lower.

    Args:
        counts: How often each pitch class sounds, (12,).
    """
    toward = FIFTHS @ np.asarray(counts, dtype=np.float64)
    return int(np.argmax(np.round(np.real(np.conj(_DIATONIC) * toward), 9)))


def parse_key(name: str) -> tuple[int, bool]:
    """Return the tonic, 0 to 11, of a key by name, and whether it is minor: "Eb", "C minor", "F#m".

    Raises:
        SettingError: if it is no key.
    """
    match = _KEY_NAME.fullmatch(name.strip())
    if match is None:
        raise SettingError(f"key: {name!r} is no key; write one such as Eb, C minor or F#m")
    accidental = {"b": -1, "♭": -1, "#": 1, "♯": 1}.get(match[2].lower(), 0)
    mode = match[3]
    minor = mode == "m" or mode.lower() in ("min", "minor")
    return (_NATURAL[match[1].upper()] + accidental) % PITCH_CLASSES, minor


def relative_shift(key: int) -> int:
    """Return the semitones, -6 to 5, that transpose music in a key to C."""
    return (6 - key) % PITCH_CLASSES - 6
