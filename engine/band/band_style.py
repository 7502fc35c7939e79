"""A style of the band as data: the patterns of each part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BassRole = Literal["walk", "root", "fifth", "pickup"]
"""What a note of a bass pattern is: a step of a walking line; the root, or another chord tone where the chord
goes on; the fifth, or another tone that is not the root; or a weak note that leads on."""


@dataclass(frozen=True, slots=True)
class BassStrike:
    """A note of a bass pattern: its place and length in beats of its group, and its role."""

    place: float
    length: float
    role: BassRole = "walk"


@dataclass(frozen=True, slots=True)
class BassPattern:
    """A rhythm of the bass over a group of beats, and how often it comes relative to the others."""

    weight: float
    strikes: tuple[BassStrike, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A rhythm of comping over a few beats: places and lengths; and its relative frequency.

    Places at the half of a beat are swung.
    """

    weight: float
    hits: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke of a drum pattern.

    Attributes:
        place: Beats from the start of its group; those at the half of a beat are swung.
        key: Percussion key of General MIDI.
        velocity: MIDI velocity at a medium loudness.
        chance: Probability, 0 to 1.
    """

    place: float
    key: int
    velocity: int
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class BandStyle:
    """A style.

    Attributes:
        name: Its name among the controls.
        swing: Largest swing ratio: 1 for even eighths, 2 for triplets, 3.5 for what drummers swing.
        bass: Patterns of the bass by the length of a group of beats, 3 or 4; shorter groups cut the longer.
        skips: Probability that a walking note is followed by a short one before the next beat.
        comping: Rhythms of comping by the length of a group, 2, 3 or 4.
        activity: Chords a beat that the comping plays when nothing else happens.
        shells: Probability that a chord is a shell of two or three tones, as at fast tempos.
        drums: Time of the drums by the length of a group: patterns that take turns bar by bar.
        chatter: Strokes a beat of snare and bass drum around the time, when nothing else happens.
        fills: Probability of a fill at the end of a section.
        loudness: MIDI velocity of the comping at a medium loudness.
        triplets: Whether fills are in triplets.
    """

    name: str
    swing: float
    bass: Mapping[int, tuple[BassPattern, ...]]
    skips: float
    comping: Mapping[int, tuple[Cell, ...]]
    activity: float
    shells: float
    drums: Mapping[int, tuple[tuple[Stroke, ...], ...]]
    chatter: float
    fills: float
    loudness: int = 58
    triplets: bool = True
