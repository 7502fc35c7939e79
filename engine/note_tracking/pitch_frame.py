"""A frame of one voice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PitchFrame:
    """A frame of one voice.

    Attributes:
        time: Seconds since the start of the stream.
        pitch: MIDI pitch, fractional.
        confidence: Confidence in the pitch, 0 to 1.
        level: Root mean square in decibels of full scale.
        attack: Growth of the spectrum: mean rise of its logarithm within 16 ms, at least 0.
    """

    time: float
    pitch: float
    confidence: float
    level: float
    attack: float
