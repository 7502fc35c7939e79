"""A synthetic walking bass from chords, where none was transcribed."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tatumflow.engine.harmony.chords import Chord
from tatumflow.training.data.corpora.wjazzd_beats import Beat
from tatumflow.training.separation.quartet.beat_notes import BeatNote, beat_lengths, chord_begins, offbeat

LOWEST: Final = 28
HIGHEST: Final = 50
"""The open E string, and D3."""

_FIRST_TONES: Final = (0.82, 0.09, 0.09)
"""Probabilities that a chord begins on its root, third and fifth."""

_SKIPS: Final = 0.08
"""Probability of a short note before the next beat."""


def walking_bass(beats: Sequence[Beat], rng: np.random.Generator) -> list[BeatNote]:
    """Walk through the chords, a note a beat.

    A chord begins on one of its tones, mostly the root, or on the bass note of its symbol. The last beat
    before the next chord leads there by a semitone or from its fifth; between them the line keeps its
    direction over chord tones and steps. Beats without a chord are silent.

    Args:
        beats: Beats with their chords.
        rng: Random generator of the choices.
    """
    notes: list[BeatNote] = []
    pitch, direction = int(rng.integers(34, 42)), 1
    for number, (beat, length) in enumerate(zip(beats, beat_lengths(beats), strict=True)):
        chord = beat.chord
        if chord is None:
            continue
        after = beats[number + 1].chord if number + 1 < len(beats) else None
        if chord_begins(beats, number):
            pitch = _nearest(_first_tone(chord, rng), pitch)
        elif after is not None and after != chord:
            pitch = _approach(after, pitch, rng)
        else:
            if pitch >= HIGHEST - 4 or pitch <= LOWEST + 4 or rng.random() < 0.15:
                direction = 1 if pitch < (LOWEST + HIGHEST) / 2 else -1
            pitch = _onward(chord, pitch, direction, rng)
        accent = 6 if beat.beat in (2, 4) else 0
        notes.append(BeatNote(number, float(rng.uniform(0.8, 0.98)), pitch, 82 + accent))
        if rng.random() < _SKIPS and length > 0.25:
            place = offbeat(length)
            notes[-1] = BeatNote(number, place * 0.9, pitch, 82 + accent)
            notes.append(BeatNote(number + place, (1 - place) * 0.8, pitch, 62))
    return notes


def _first_tone(chord: Chord, rng: np.random.Generator) -> int:
    """Return the pitch class that a chord begins on."""
    if chord.bass is not None:
        return chord.bass
    above_root = sorted((tone - chord.root) % 12 for tone in chord.pitch_classes)
    return (chord.root + above_root[int(rng.choice(3, p=_FIRST_TONES))]) % 12


def _nearest(pitch_class: int, pitch: int) -> int:
    """Return the pitch of a class in the range that is nearest to a pitch."""
    return min(_range_of({pitch_class}), key=lambda other: (abs(other - pitch), other))


def _approach(chord: Chord, pitch: int, rng: np.random.Generator) -> int:
    root = chord.root if chord.bass is None else chord.bass
    leading = {(root + step) % 12 for step in (-1, 1, 7)} - {pitch % 12}
    near = sorted(_range_of(leading), key=lambda other: (abs(other - pitch), other))
    return int(near[int(rng.integers(min(2, len(near))))])


def _onward(chord: Chord, pitch: int, direction: int, rng: np.random.Generator) -> int:
    """Return one of the next chord tones in a direction, or sometimes a step."""
    tones = [other for other in _range_of(set(chord.pitch_classes)) if 0 < (other - pitch) * direction <= 9]
    if not tones:
        return _nearest(chord.root, pitch - 5 * direction)
    if rng.random() < 0.25:
        return min(max(pitch + direction * int(rng.integers(1, 3)), LOWEST), HIGHEST)
    tones.sort(key=lambda other: abs(other - pitch))
    return tones[int(rng.integers(min(2, len(tones))))]


def _range_of(pitch_classes: set[int]) -> list[int]:
    return [pitch for pitch in range(LOWEST, HIGHEST + 1) if pitch % 12 in pitch_classes]
