"""What is heard of one voice in a moment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PitchFrame:
    """A moment of one voice.

    Attributes:
        time: Seconds since the stream began.
        pitch: MIDI pitch with its fraction.
        confidence: That there is a pitch and it is this one, 0 to 1.
        level: Root mean square in decibels of full scale.
        attack: How fast the spectrum grows: mean rise of its logarithm within 16 ms, at least 0.
    """

    time: float
    pitch: float
    confidence: float
    level: float
    attack: float
