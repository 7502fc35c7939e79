"""What the band plays: notes in beats, each of one part."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

Part = Literal["bass", "comping", "drums"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

RANGES: Final[Mapping[Part, tuple[int, int]]] = MappingProxyType(
    {"bass": (28, 55), "comping": (48, 77), "drums": (35, 81)}
)
"""Lowest and highest MIDI pitch of each part: a double bass from its open E string to G3; chords around
middle C, above the bass; the percussion keys of General MIDI."""


@dataclass(frozen=True, slots=True)
class BandNote:
    """A note of the band's.

    Attributes:
        part: Who plays it.
        beat: Beats since the beginning of the form; negative in an introduction or a count-in.
        length: Beats, greater than 0.
        pitch: MIDI pitch within the part's range; of drums, a percussion key of General MIDI.
        velocity: MIDI velocity, 1 to 127.
    """

    part: Part
    beat: float
    length: float
    pitch: int
    velocity: int


def velocity(value: float) -> int:
    """Return a loudness as a MIDI velocity, 1 to 127."""
    return min(max(round(value), 1), 127)
