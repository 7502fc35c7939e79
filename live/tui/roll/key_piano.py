"""The computer keyboard as a piano: two rows of keys, as trackers lay them out."""

from dataclasses import dataclass, replace
from typing import Final

_LOWER: Final = "zsxdcvgbhnjm"
_UPPER: Final = "q2w3er5t6y7u"
LOWEST_OCTAVE: Final = 1
HIGHEST_OCTAVE: Final = 6
PIANO_KEYS: Final[dict[str, int]] = {key: semitone for semitone, key in enumerate(_LOWER + _UPPER)}
"""Semitones above the C of the lower row, by key."""


@dataclass(frozen=True, slots=True)
class KeyPiano:
    """Two octaves of keys.

    Attributes:
        octave: Octave of the lower row, 1 to 6; its C in octave 3 is MIDI pitch 48.
    """

    octave: int = 3

    @property
    def lowest(self) -> int:
        """MIDI pitch of the lowest key."""
        return 12 * (self.octave + 1)

    def pitch(self, key: str) -> int | None:
        """Return the MIDI pitch a key plays, None if it is not one of the piano's."""
        semitone = PIANO_KEYS.get(key)
        return None if semitone is None else self.lowest + semitone

    def shifted(self, octaves: int) -> "KeyPiano":
        """Return the piano moved by some octaves, as far as it can go."""
        return replace(self, octave=min(HIGHEST_OCTAVE, max(LOWEST_OCTAVE, self.octave + octaves)))

    def letters(self) -> dict[int, str]:
        """Return the key that plays each pitch."""
        return {self.lowest + semitone: key for key, semitone in PIANO_KEYS.items()}
