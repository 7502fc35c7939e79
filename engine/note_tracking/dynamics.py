"""How hard a note was played, from how loud it is."""

from typing import Final

_MIDDLE: Final = 80.0
"""Velocity of a note of the usual loudness."""

_NOTES: Final = 24
"""So many notes back the usual loudness goes."""

_DECIBELS: Final = 40.0
"""General MIDI's amplitude is the square of the velocity (RP-015 of the MIDI Association)."""


class Dynamics:
    """Gives velocities around 80, whatever the gain of the microphone: the first note has 80.

    Amplitude goes with the square of the velocity, as synthesizers have it, so that what is played back
    sounds as loud as it was beside its neighbors.
    """

    def __init__(self) -> None:
        self._usual: float | None = None
        self._count = 0

    def velocity(self, level: float) -> int:
        """Return the velocity, 1 to 127, of a note that is so loud (decibels of full scale)."""
        usual = level if self._usual is None else self._usual
        self._count = min(self._count + 1, _NOTES)
        self._usual = usual + (level - usual) / self._count
        return int(min(max(round(_MIDDLE * 10 ** ((level - usual) / _DECIBELS)), 1), 127))
