"""Edits of one part of a phrase's theory features: other chords, pace or dynamics."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.theory.features import PARTS, notes_features

_BASS: Final = 36
_MIDDLE: Final = 60
_CHORD_SECONDS: Final = 1.0
_LOUDEST: Final = 127


def with_chords(features: Floats, chords: Sequence[Chord]) -> Floats:
    """Return features (NUM_FEATURES,) with the harmony of chords, 1 s each with the root in the bass.

    Without chords they stay as they are.
    """
    if not chords:
        return features
    voiced = [
        Note(i * _CHORD_SECONDS, _CHORD_SECONDS, pitch, 64)
        for i, chord in enumerate(chords)
        for pitch in (_BASS + chord.root, *sorted(_MIDDLE + tone for tone in chord.pitch_classes))
    ]
    return _replaced(features, "harmony", voiced)


def with_pace(features: Floats, notes: Sequence[Note], factor: float) -> Floats:
    """Return features (NUM_FEATURES,) with the rhythm of the notes played `factor` times as fast."""
    moved = [replace(note, onset=note.onset / factor, duration=note.duration / factor) for note in notes]
    return _replaced(features, "rhythm", moved)


def with_dynamics(features: Floats, notes: Sequence[Note], steps: int) -> Floats:
    """Return features (NUM_FEATURES,) with the dynamics of the notes, `steps` of MIDI velocity louder."""
    louder = [replace(note, velocity=int(np.clip(note.velocity + steps, 1, _LOUDEST))) for note in notes]
    return _replaced(features, "dynamics", louder)


def _replaced(features: Floats, name: str, notes: Sequence[Note]) -> Floats:
    part = next(part for part in PARTS if part.name == name)
    edited = features.copy()
    edited[part.slice] = notes_features(notes)[part.slice]
    return edited
