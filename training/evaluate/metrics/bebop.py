"""Bebop vocabulary of a line over chords: tones at chord changes, passing tones, enclosures.

Bebop scales, whose chromatic passing tone falls between beats, are David Baker's ("How to Play Bebop", volume
1); enclosures, and thirds and sevenths as the tones that tell one chord from the next, are elements of Jerry
Coker's "Elements of the Jazz Language for the Developing Improvisor" (1991). The line of polyphonic music is
its highest note.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.harmony.chords import CHORD_TONES, Quality
from tatumflow.engine.harmony.scales import SCALES, pitch_class_table
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import onset_times, skyline

Ints = NDArray[np.int64]

AFTER_CHANGE: Final = 0.5
"""Beats after a chord change up to which the first onset counts as struck at it."""

BEFORE_CHANGE: Final = 0.15
"""Beats before it from which it does: players are a little early too."""

CONNECTED: Final = 1.0
"""Most beats between two onsets of one figure."""

OFF_BEATS: Final = (0.35, 0.85)
"""Where in the beat a note lies between beats: around the second of two eighths, straight to dotted, or late.
As wide as what remains, so that half of all random notes lie there."""

_WHOLE_TONE: Final = 2
_OCTAVE: Final = 12
_GUIDES: Final[dict[Quality, tuple[int, ...]]] = {
    "maj7": (4, 11),
    "7": (4, 10),
    "m7": (3, 10),
    "m7b5": (3, 10),
    "dim7": (3, 9),
    "m6": (3, 9),
    "7sus4": (5, 10),
    "aug": (4,),
}
_ADDED: Final[dict[Quality, int]] = {"7": 11, "7sus4": 11, "maj7": 8, "m7": 4, "m7b5": 7}
GUIDE_TONES: Final = pitch_class_table(_GUIDES)
"""Third and seventh of the chord of each id, (97, 12) bool; the sixth of a tonic minor, the fourth of a
suspended chord, the third alone of an augmented triad."""

ADDED_TONES: Final = pitch_class_table({quality: (tone,) for quality, tone in _ADDED.items()})
"""The chromatic tone that the bebop scale of the chord of each id adds, (97, 12) bool.

Dominants take the major seventh, major chords the raised fifth. A minor seventh chord is played as the
dominant a fourth above it, a half-diminished one as the dominant a major third below (Baker): their major
third and perfect fifth. None for other chords."""


@dataclass(frozen=True)
class Harmony:
    """Chords in time.

    Attributes:
        beats: Seconds of the beats, (b,), ascending.
        starts: The beat on which each chord begins, (c,), ascending from 0.
        chords: Id of each chord, (c,); 0 for none.
    """

    beats: Floats
    starts: Ints
    chords: Ints

    @classmethod
    def of_beats(cls, beats: ArrayLike, ids: ArrayLike) -> "Harmony":
        """Return the harmony of beats in seconds, (b,), and the chord id in force on each, (b,)."""
        held = np.asarray(ids, dtype=np.int64)
        starts = np.flatnonzero(np.diff(held, prepend=-1))
        return cls(np.asarray(beats, dtype=np.float64), starts, held[starts])

    def at(self, places: Floats) -> Ints:
        """Return the chord ids in force at places in beats, (n,)."""
        return self.chords[np.maximum(np.searchsorted(self.starts, places + 1e-9, side="right") - 1, 0)]

    def shuffled(self, rng: np.random.Generator) -> "Harmony":
        """Return the same changes with their chords in random order: the same key, the wrong moments."""
        return replace(self, chords=rng.permutation(self.chords))


@dataclass(frozen=True)
class Line:
    """A line on beats.

    Attributes:
        place: Beats from the first beat of each onset, (n,), ascending.
        pitch: Its highest MIDI pitch, (n,).
    """

    place: Floats
    pitch: Ints


@dataclass(frozen=True)
class Vocabulary:
    """Counts of a line's bebop vocabulary.

    Attributes:
        notes: Onsets on the beats.
        changes: Chord changes at which a note is struck.
        chord_tones: Those at which it is a tone of the chord.
        guide_tones: Those at which it is a guide tone.
        passing: Chromatic passing tones.
        passing_off_beat: Those between beats.
        added: Those between beats that are the added tone of the chord's bebop scale.
        enclosures: Chord tones approached from above and from below.
    """

    notes: int
    changes: int
    chord_tones: int
    guide_tones: int
    passing: int
    passing_off_beat: int
    added: int
    enclosures: int


def line_on_beats(notes: NDArray[np.void], beats: Floats) -> Line:
    """Place the highest note of each onset on ascending beats in seconds; drop those outside the beats."""
    onsets, pitch = onset_times(notes), skyline(notes)
    if len(beats) < 2:
        return Line(np.zeros(0), np.zeros(0, dtype=np.int64))
    inside = (onsets >= beats[0]) & (onsets < beats[-1])
    return Line(np.interp(onsets[inside], beats, np.arange(len(beats))), pitch[inside])


def vocabulary(line: Line, harmony: Harmony) -> Vocabulary:
    """Count the bebop vocabulary of a line over a harmony."""
    struck = notes_at_changes(line, harmony)
    chords = harmony.chords[struck[:, 0]]
    classes = line.pitch[struck[:, 1]] % _OCTAVE
    passing = passing_tones(line, harmony)
    between = passing[is_off_beat(line.place[passing])]
    added = ADDED_TONES[harmony.at(line.place[between]), line.pitch[between] % _OCTAVE]
    return Vocabulary(
        notes=len(line.place),
        changes=len(struck),
        chord_tones=int(CHORD_TONES[chords, classes].sum()),
        guide_tones=int(GUIDE_TONES[chords, classes].sum()),
        passing=len(passing),
        passing_off_beat=len(between),
        added=int(added.sum()),
        enclosures=len(enclosures(line, harmony)),
    )


def notes_at_changes(line: Line, harmony: Harmony) -> Ints:
    """Return the chord and the note of each change at which a note is struck, (k, 2) indices.

    The note is the first from `BEFORE_CHANGE` before to `AFTER_CHANGE` beats after the beat on which the
    chord begins. Beats without a chord, and the first chord, which changes from none, do not count.
    """
    first = np.searchsorted(line.place, harmony.starts - BEFORE_CHANGE)
    known = (first < len(line.place)) & (harmony.chords > 0) & (harmony.starts > 0)
    chord = np.flatnonzero(known)
    note = first[chord]
    near = line.place[note] < harmony.starts[chord] + AFTER_CHANGE
    return np.stack([chord[near], note[near]], axis=1).astype(np.int64)


def passing_tones(line: Line, harmony: Harmony) -> Ints:
    """Return the indices of chromatic passing tones, (k,).

    Such a note lies outside the chord's scale, the notes before and after it are its neighbours in that
    scale, a semitone away on either side, and the line goes through it in one direction: b7, 7, 1 of a
    dominant, or 5, #5, 6 of a major chord, up or down, each within a beat of the next.
    """
    step = np.diff(line.pitch)
    through = (np.abs(step[:-1]) == 1) & (step[:-1] == step[1:]) & _connected(line)
    middle = np.flatnonzero(through) + 1
    chord, tone = harmony.at(line.place[middle]), line.pitch[middle] % _OCTAVE
    below, above = SCALES[chord, (tone - 1) % _OCTAVE], SCALES[chord, (tone + 1) % _OCTAVE]
    return middle[~SCALES[chord, tone] & below & above].astype(np.int64)


def enclosures(line: Line, harmony: Harmony) -> Ints:
    """Return the indices of chord tones that the two notes before enclose, (k,).

    One of the two lies a semitone below the target, the other a semitone or a whole tone above it, in either
    order, each within a beat of the next.
    """
    target, first, second = line.pitch[2:], line.pitch[:-2], line.pitch[1:-1]
    low, high = np.minimum(first, second) - target, np.maximum(first, second) - target
    around = (low == -1) & (high >= 1) & (high <= _WHOLE_TONE) & _connected(line)
    index = np.flatnonzero(around) + 2
    tone = CHORD_TONES[harmony.at(line.place[index]), line.pitch[index] % _OCTAVE]
    return index[tone].astype(np.int64)


def is_off_beat(place: Floats) -> NDArray[np.bool_]:
    """Return whether places in beats lie between beats, within `OFF_BEATS`, (n,)."""
    phase = place % 1.0
    return (phase >= OFF_BEATS[0]) & (phase < OFF_BEATS[1])


def _connected(line: Line) -> NDArray[np.bool_]:
    """Return whether three successive onsets belong to one figure, (n - 2,); empty of fewer than three."""
    gaps = np.diff(line.place)
    return (gaps[:-1] <= CONNECTED) & (gaps[1:] <= CONNECTED)
