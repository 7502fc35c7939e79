"""Names of pitches, chords and keys in a key, along the line of fifths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.theory.key import key_of, parse_key

_LETTERS: Final = "FCGDAEB"
_MOST: Final = 6
_MINOR_THIRD: Final = 3


@dataclass(frozen=True)
class Spelled:
    """A pitch as it is written.

    Attributes:
        step: A to G.
        alter: Semitones of its accidental.
        octave: 4 from middle C on.
    """

    step: str
    alter: int
    octave: int

    @property
    def name(self) -> str:
        """Its name for music21, such as "B-4"."""
        return f"{self.step}{'#' * self.alter}{'-' * -self.alter}{self.octave}"


@dataclass(frozen=True)
class WrittenKey:
    """A key signature.

    Attributes:
        fifths: Sharps, negative for flats.
        minor: Whether it is minor.
    """

    fifths: int
    minor: bool = False

    def above(self, semitones: int) -> "WrittenKey":
        """Return the key so many semitones higher."""
        return _of_tonic((7 * self.fifths + semitones) % 12, self.minor)

    def spelled(self, pitch: int) -> Spelled:
        """Return a MIDI pitch as this key spells it, other notes with flats up to Gb and sharps up to A#."""
        lowest = min(max(min(self.fifths - 5, -1), -_MOST), self.fifths - 1)
        lowest = max(lowest, self.fifths - _MOST)
        place = lowest + (7 * pitch - lowest) % 12
        alter, letter = divmod(place + 1, 7)
        step = _LETTERS[letter]
        octave = (pitch - alter) // 12 - 1
        return Spelled(step, alter, octave)


def written_key(name: str, pitches: Sequence[int]) -> WrittenKey:
    """Return a key by name; without one, or with one that is none, that of the pitches."""
    if name:
        try:
            tonic, minor = parse_key(name)
        except SettingError:
            pass
        else:
            return _of_tonic((tonic + _MINOR_THIRD * minor) % 12, minor)
    counts = np.bincount(np.asarray(pitches, dtype=np.int64) % 12, minlength=12)
    return _of_tonic(key_of(counts), minor=False)


def _of_tonic(major: int, minor: bool) -> WrittenKey:
    """Return the key of a major tonic, or of the relative minor of it."""
    fifths = 7 * major % 12
    return WrittenKey(fifths - 12 if fifths > _MOST else fifths, minor)
