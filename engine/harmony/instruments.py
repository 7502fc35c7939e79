"""Keys of transposing instruments, and what their players read."""

from typing import Final, Literal

Instrument = Literal["C", "Bb", "Eb", "F"]
"""Key of an instrument: C sounds as written."""

WRITTEN: Final[dict[Instrument, int]] = {"C": 0, "Bb": 2, "Eb": 9, "F": 7}
"""Semitones from the sounding pitch class up to the written one. The octave, which differs from instrument to
instrument, is left out: a tenor saxophone and a trumpet read alike."""
