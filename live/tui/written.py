"""Chords as players of transposing instruments read them."""

from tatumflow.engine.harmony.chords import parse_chord
from tatumflow.engine.harmony.instruments import WRITTEN, Instrument


def written_chord(chord: str, instrument: Instrument) -> str:
    """Return the written symbol of a sounding chord; the empty text stays."""
    read = parse_chord(chord) if chord else None
    return chord if read is None or instrument == "C" else str(read.transposed(WRITTEN[instrument]))
