"""Notes of a performance as a structured array."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note
from tatumflow.engine.model.tokens import TICK_SECONDS, to_ticks
from tatumflow.training.data.corpora.piece import NOTE_DTYPE


def note_array(
    onset: ArrayLike,
    duration: ArrayLike,
    pitch: ArrayLike,
    velocity: ArrayLike,
    chord: ArrayLike = NO_CHORD,
) -> NDArray[np.void]:
    """Build the array of a piece's notes.

    Args:
        onset: Seconds, shape (n,), in any order.
        duration: Seconds, shape (n,); at least one tick.
        pitch: MIDI pitches, shape (n,); those off the piano's range are left out.
        velocity: MIDI velocities, shape (n,).
        chord: Chord ids, shape (n,), or one for all.

    Returns:
        Array of `NOTE_DTYPE`, shape (m,), m <= n: first onset at 0, sorted by onset tick and pitch. Notes of
        one pitch and onset tick are merged to the longest duration and highest velocity.
    """
    count = np.asarray(onset).shape[0]
    notes = np.zeros(count, dtype=NOTE_DTYPE)
    notes["bar_beat"] = -1
    seconds = np.asarray(onset, dtype=np.float64)
    notes["onset"] = seconds - (seconds.min() if count else 0.0)
    notes["duration"] = np.maximum(duration, TICK_SECONDS)
    pitches = np.asarray(pitch)
    notes["pitch"] = np.clip(pitches, 0, 255)
    notes["velocity"] = velocity
    notes["chord"] = chord
    notes = notes[(pitches >= PITCH_LOWEST) & (pitches <= PITCH_HIGHEST)]
    if not len(notes):
        return notes
    notes["onset"] -= notes["onset"].min()
    ticks = to_ticks(notes["onset"])
    order = np.lexsort((notes["pitch"], ticks))
    notes, ticks = notes[order], ticks[order]
    first = np.flatnonzero(np.diff(ticks, prepend=-1) | np.diff(notes["pitch"].astype(np.int64), prepend=-1))
    merged = notes[first]
    merged["duration"] = np.maximum.reduceat(notes["duration"], first)
    merged["velocity"] = np.maximum.reduceat(notes["velocity"], first)
    return merged


def from_notes(notes: Sequence[Note]) -> NDArray[np.void]:
    """Build the array of a piece's notes; see `note_array`."""
    columns = np.array([(n.onset, n.duration, n.pitch, n.velocity) for n in notes], dtype=np.float64)
    return note_array(*columns.reshape(-1, 4).T)
