"""MIDI velocities from loudness."""

from typing import Final

_MIDDLE: Final = 80.0
"""Velocity of a note of the usual loudness."""

_NOTES: Final = 24
"""Number of last notes that the usual loudness averages."""

_DECIBELS: Final = 40.0
"""General MIDI's amplitude is the square of the velocity (RP-015 of the MIDI Association)."""


class Dynamics:
    """Velocities around 80, whatever the gain of the microphone; the first note has 80.

    Amplitude is the square of the velocity, as in synthesizers, so that notes keep their relative loudness
    when played back.
    """

    def __init__(self) -> None:
        self._usual: float | None = None
        self._count = 0

    def velocity(self, level: float) -> int:
        """Return the velocity, 1 to 127, of a note at a level in decibels of full scale."""
        usual = level if self._usual is None else self._usual
        self._count = min(self._count + 1, _NOTES)
        self._usual = usual + (level - usual) / self._count
        return int(min(max(round(_MIDDLE * 10 ** ((level - usual) / _DECIBELS)), 1), 127))
