"""Chords and pitches as players of transposing instruments read them."""

from typing import Final

from tatumflow.engine.harmony.chords import parse_chord
from tatumflow.live.settings import Instrument

WRITTEN: Final[dict[Instrument, int]] = {"C": 0, "Bb": 2, "Eb": 9, "F": 7}
"""Semitones from the sounding pitch class up to the written one, by the instrument's key. The octave, which
differs from instrument to instrument, is left out: a tenor saxophone and a trumpet read alike."""


def written_chord(chord: str, instrument: Instrument) -> str:
    """Return the written symbol of a sounding chord; the empty text stays."""
    read = parse_chord(chord) if chord else None
    return chord if read is None or instrument == "C" else str(read.transposed(WRITTEN[instrument]))
