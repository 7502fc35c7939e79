"""Piano voicings without the root, which the bass plays, and the choice of the next by its voice leading.

Left-hand voicings in the two positions that pianists call A and B (Levine, "The Jazz Piano Book", 1989):
third or seventh at the bottom, the other guide tone in the middle, fifth or thirteenth and ninth between; the
same with the second highest voice dropped by an octave (drop 2); and shells of third and seventh.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Final

from tatumflow.engine.band.band_note import RANGES
from tatumflow.engine.harmony.chords import Chord, Quality

LOWEST, HIGHEST = RANGES["comping"]
MINORS: Final = frozenset(("m7", "m6", "m7b5"))

Voicing = tuple[int, ...]
"""MIDI pitches, ascending."""

_FOUR_PARTS: Final[dict[Quality, tuple[tuple[int, ...], ...]]] = {
    "maj7": ((4, 7, 11, 14), (4, 7, 9, 14), (11, 14, 16, 19), (9, 14, 16, 19)),
    "7": ((4, 9, 10, 14), (4, 7, 10, 14), (10, 14, 16, 21), (10, 14, 16, 19)),
    "m7": ((3, 7, 10, 14), (10, 14, 15, 19), (3, 7, 10, 12), (10, 12, 15, 19)),
    "m7b5": ((3, 6, 10, 12), (10, 12, 15, 18), (6, 10, 12, 15)),
    "dim7": ((3, 6, 9, 12), (6, 9, 12, 15), (9, 12, 15, 18), (0, 3, 6, 9)),
    "m6": ((3, 7, 9, 14), (9, 14, 15, 19), (3, 7, 9, 12)),
    "7sus4": ((5, 9, 10, 14), (5, 7, 10, 14), (10, 14, 17, 21), (10, 12, 17, 19)),
    "aug": ((4, 8, 12), (8, 12, 16), (0, 4, 8)),
}
_ALTERED: Final = ((4, 8, 10, 13), (10, 13, 16, 20), (4, 8, 10, 15))
"""Of dominants that lead to a minor chord: flat thirteenth, flat or sharp ninth."""

_SHELLS: Final[dict[Quality, tuple[tuple[int, ...], ...]]] = {
    "maj7": ((4, 11), (11, 16), (4, 11, 14), (11, 16, 19)),
    "7": ((4, 10), (10, 16), (4, 10, 14), (10, 16, 21)),
    "m7": ((3, 10), (10, 15), (3, 10, 14), (10, 15, 19)),
    "m7b5": ((3, 6, 10), (10, 15, 18)),
    "dim7": ((3, 9), (9, 15), (3, 9, 12)),
    "m6": ((3, 9), (9, 15), (3, 9, 14)),
    "7sus4": ((5, 10), (10, 17), (5, 10, 14)),
    "aug": ((4, 8, 12), (8, 12, 16)),
}
_TRIADIC: Final = 3
_CLUSTER_FLOOR: Final = 52
"""Pitch under which two voices lie at least three semitones apart, so that the chord is not muddy."""

_CENTER: Final = 61.0
_TOP: Final = 72
_PER_VOICE: Final = 3.0
"""Semitones a voice beyond which a movement is taken only where nothing nearer exists."""


@lru_cache(maxsize=1024)
def realizations(chord: Chord, *, altered: bool = False, shell: bool = False) -> tuple[Voicing, ...]:
    """Return every voicing of a chord within the range of comping.

    Args:
        chord: The chord; its bass is left to the bass.
        altered: Whether a dominant has the tensions of the minor chord that it leads to.
        shell: Whether it is a shell of two or three tones.
    """
    if shell:
        stacks = list(_SHELLS[chord.quality])
    elif altered and chord.quality == "7":
        stacks = list(_ALTERED)
    else:
        stacks = list(_FOUR_PARTS[chord.quality])
    if not shell:
        stacks += [_dropped(stack) for stack in stacks if len(stack) > _TRIADIC]
    found: set[Voicing] = set()
    for stack in stacks:
        for octave in range(2, 7):
            pitches = tuple(sorted(12 * octave + chord.root + tone for tone in stack))
            if pitches[0] >= LOWEST and pitches[-1] <= HIGHEST and not _muddy(pitches):
                found.add(pitches)
    return tuple(sorted(found))


def movement(before: Sequence[int], after: Sequence[int]) -> float:
    """Return the mean movement of the voices in semitones, each to the nearest place in order of height.

    Where their numbers differ, each voice of the larger is measured to the nearest of the smaller.
    """
    if len(before) == len(after):
        return sum(abs(a - b) for a, b in zip(before, after, strict=True)) / len(after)
    few, many = sorted((before, after), key=len)
    return sum(min(abs(pitch - other) for other in few) for pitch in many) / len(many)


def next_voicing(
    chord: Chord, before: Voicing | None, random: Random, *, altered: bool = False, shell: bool = False
) -> Voicing:
    """Return the voicing of a chord that moves least from the one before, within a middle register.

    A chord that is struck again may change its position.

    Args:
        chord: The chord.
        before: The voicing before, None for none.
        random: Random generator: among voicings about as near, any may come.
        altered: See `realizations`.
        shell: See `realizations`.
    """
    choices = realizations(chord, altered=altered, shell=shell)

    def cost(voicing: Voicing) -> float:
        center = sum(voicing) / len(voicing)
        register = 0.12 * abs(center - _CENTER) + 0.3 * max(voicing[-1] - _TOP, 0)
        if before is None:
            return register + random.uniform(0, 0.4)
        moved = movement(before, voicing)
        beyond = 4 * max(moved - _PER_VOICE, 0)
        still = 0.5 if voicing == before else 0.0
        # The highest voice is heard as a melody.
        leap = 0.12 * max(abs(voicing[-1] - before[-1]) - 4, 0)
        return moved + beyond + register + leap + still + random.uniform(0, 0.6)

    return min(choices, key=cost)


def _dropped(stack: tuple[int, ...]) -> tuple[int, ...]:
    """Return a voicing with its second highest voice an octave lower."""
    return tuple(sorted((*stack[:-2], stack[-2] - 12, stack[-1])))


def _muddy(pitches: Voicing) -> bool:
    return any(low < _CLUSTER_FLOOR and high - low < _TRIADIC for low, high in pairwise(pitches))
