"""Piano comping from chords: rootless and shell voicings (Levine, "The Jazz Piano Book", 1989)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tatumflow.engine.harmony.chords import Chord, Quality
from tatumflow.training.data.corpora.wjazzd_beats import Beat
from tatumflow.training.separation.quartet.beat_notes import (
    BeatNote,
    bars_of,
    beat_lengths,
    chord_begins,
    offbeat,
)

_ROOTLESS: Final[dict[Quality, tuple[int, ...]]] = {
    "maj7": (4, 7, 11, 14),
    "7": (4, 9, 10, 14),
    "m7": (3, 7, 10, 14),
    "m7b5": (3, 6, 10, 12),
    "dim7": (3, 6, 9, 12),
    "m6": (3, 7, 9, 14),
    "7sus4": (5, 9, 10, 14),
    "aug": (4, 8, 10, 14),
}
"""Semitones above the root: third, fifth or thirteenth, seventh or sixth, ninth or root."""

_SHELLS: Final[dict[Quality, tuple[int, ...]]] = {
    "maj7": (4, 11),
    "7": (4, 10),
    "m7": (3, 10),
    "m7b5": (3, 6, 10),
    "dim7": (3, 9),
    "m6": (3, 9),
    "7sus4": (5, 10),
    "aug": (4, 8),
}

_RHYTHMS: Final[tuple[tuple[tuple[float, float], ...], ...]] = (
    ((0, 1.4), (1.5, 0.4)),
    ((0.5, 0.4), (2, 1.2)),
    ((1.5, 0.4), (3.5, 0.4)),
    ((0, 3.5),),
    ((1.5, 2.0),),
    ((0.5, 0.4), (1.5, 0.4), (3, 0.4)),
    ((1, 0.4), (3, 0.4)),
    ((0, 0.4), (2.5, 1.0)),
    ((3.5, 0.5),),
    ((2.5, 1.0),),
    (),
)
"""Rhythms of a bar: beats and lengths. The first is the Charleston, the third Red Garland's; half a beat
stands for the swung eighth."""

_LOWEST: Final = 48
_HIGHEST: Final = 76


def comping(beats: Sequence[Beat], rng: np.random.Generator) -> list[BeatNote]:
    """Comp on the chords of beats, a rhythm a bar, drawn from `rng`.

    An eighth before a change of chord anticipates the new chord. Each voicing is the nearest to the one
    before.
    """
    shells = float(rng.uniform(0.0, 0.7))
    favorites = rng.permutation(len(_RHYTHMS))[:5]
    lengths = beat_lengths(beats)
    notes: list[BeatNote] = []
    center = float(rng.uniform(57, 64))
    for bar in bars_of(beats):
        for place, length in _strikes(beats, bar, favorites, rng):
            number, is_off = bar.start + int(place), place % 1 > 0
            ahead = is_off and number + 1 < len(beats) and chord_begins(beats, number + 1)
            chord = beats[number + 1 if ahead else number].chord
            if chord is None:
                continue
            pitches = voicing(chord, center, shells=rng.random() < shells)
            center += 0.7 * (sum(pitches) / len(pitches) - center)
            center = min(max(center, 56.0), 66.0)
            start = number + (offbeat(lengths[number]) if is_off else 0.0)
            velocity = int(rng.integers(58, 78)) + (6 if is_off else 0)
            notes += [BeatNote(start, length * 0.95, pitch, velocity) for pitch in pitches]
    return notes


def voicing(chord: Chord, center: float, shells: bool) -> list[int]:
    """Return the pitches of a voicing whose mean is near `center`, without the root, which the bass plays.

    With `shells` it is third and seventh alone.
    """
    tones = (_SHELLS if shells else _ROOTLESS)[chord.quality]
    classes = [(chord.root + tone) % 12 for tone in tones]
    arranged: list[list[int]] = []
    for inversion in range(len(classes)):
        for lowest in range(_LOWEST, _HIGHEST - 12):
            if lowest % 12 != classes[inversion]:
                continue
            pitches = [lowest]
            for other in classes[inversion + 1 :] + classes[:inversion]:
                pitches.append(pitches[-1] + ((other - pitches[-1]) % 12 or 12))
            if pitches[-1] <= _HIGHEST:
                arranged.append(pitches)
    return min(arranged, key=lambda pitches: (abs(sum(pitches) / len(pitches) - center), pitches))


def _strikes(
    beats: Sequence[Beat], bar: range, favorites: np.ndarray, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Return the onsets of chords in a bar, and their lengths, in beats."""
    if len(bar) == 4 and rng.random() < 0.85:
        return list(_RHYTHMS[int(rng.choice(favorites))])
    begins = [number - bar.start for number in bar if number == bar.start or chord_begins(beats, number)]
    return [(float(place), float(rng.uniform(0.4, 1.8))) for place in begins]
