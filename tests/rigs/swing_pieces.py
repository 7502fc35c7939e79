"""A small generated swing piece, for tests that need no corpus."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.harmony.chords import Chord
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, Piece, Split

_BEAT: Final = 0.5
"""Seconds per beat: 120 beats per minute, on the token grid."""

_SWUNG: Final = 0.34
"""Seconds from the beat to its swung off-beat: two thirds of a beat, rounded to the grid."""

_BEATS_PER_BAR: Final = 4


@dataclass(frozen=True)
class _Change:
    """A chord, its scale and its comping voicing in semitones above the root."""

    chord: Chord
    scale: tuple[int, ...]
    voicing: tuple[int, ...]


_DORIAN: Final = (0, 2, 3, 5, 7, 9, 10)
_MIXOLYDIAN: Final = (0, 2, 4, 5, 7, 9, 10)
_IONIAN: Final = (0, 2, 4, 5, 7, 9, 11)

_CHANGES: Final = (
    _Change(Chord(2, "m7"), _DORIAN, (3, 7, 10, 14)),
    _Change(Chord(7, "7"), _MIXOLYDIAN, (4, 9, 10, 14)),
    _Change(Chord(0, "maj7"), _IONIAN, (4, 7, 11, 14)),
    _Change(Chord(9, "7"), _MIXOLYDIAN, (4, 9, 10, 14)),
)
"""Dm7 G7 Cmaj7 A7, a bar each."""


def swing_piece(seed: int = 0, bars: int = 24, split: Split = "train", name: str = "swing") -> Piece:
    """Generate a piece: a swung line over rootless left-hand voicings on a Charleston rhythm.

    Args:
        seed: Seed of the line.
        bars: Its length; a bar has about 14 notes.
        split: Its side of the split.
        name: Its name.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, float, int, int, int, float, int, float]] = []
    pitch = 72
    for bar in range(bars):
        change = _CHANGES[bar % len(_CHANGES)]
        chord = change.chord
        start = bar * _BEATS_PER_BAR * _BEAT
        for onset, length in ((0.0, 0.25), (_BEAT + _SWUNG, 0.2)):
            place = _place(start + onset)
            rows += [
                (start + onset, length, 48 + chord.root + above, 55, chord.id, *place)
                for above in change.voicing
            ]
        for eighth in range(2 * _BEATS_PER_BAR):
            beat, off = divmod(eighth, 2)
            if off and rng.random() < 0.3:
                continue
            pitch = _next_pitch(pitch, change, rng)
            length, velocity = (0.15, 95) if off else (0.3, 79)
            onset = start + beat * _BEAT + off * _SWUNG
            rows.append((onset, length, pitch, velocity, chord.id, *_place(onset)))
    notes = np.array(rows, dtype=NOTE_DTYPE)
    notes = notes[np.lexsort((notes["pitch"], notes["onset"]))]
    return Piece(name, "synthetic", "", "Swing study", split, notes, 60 / _BEAT, "annotated")


def _place(onset: float) -> tuple[float, int, float]:
    """Return beat, beat of the bar and seconds of a beat at an onset; see `NOTE_DTYPE`."""
    beat = onset / _BEAT
    return beat, int(beat + 1e-6) % _BEATS_PER_BAR, _BEAT


def _next_pitch(pitch: int, change: _Change, rng: np.random.Generator) -> int:
    """Draw one of the four nearest other notes of the chord's scale, between C4 and C6."""
    scale = [p for p in range(60, 85) if (p - change.chord.root) % 12 in change.scale and p != pitch]
    nearest = sorted(scale, key=lambda p: abs(p - pitch))[:4]
    return int(nearest[rng.integers(len(nearest))])
