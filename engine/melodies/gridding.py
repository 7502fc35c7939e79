"""Notes in beats to notes on the grid, and melodies back to notes in seconds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tatumflow.engine.melodies.feel import straightened, swung
from tatumflow.engine.melodies.melody import STEPS_PER_BEAT, GridNote, Melody
from tatumflow.engine.midi.notes import Note


def grid_notes(onset: ArrayLike, duration: ArrayLike, pitch: ArrayLike, off_beat: float) -> list[GridNote]:
    """Return notes on the nearest steps, each at least one step long.

    Args:
        onset: Beats since the bar line at step 0, (n,).
        duration: Beats, (n,).
        pitch: MIDI pitches, 21 to 108, (n,).
        off_beat: Place of the swung off-beat, which becomes the middle of the beat; see `feel`.
    """
    begin, length = np.asarray(onset, np.float64), np.asarray(duration, np.float64)
    first = np.rint(STEPS_PER_BEAT * straightened(begin, off_beat)).astype(np.int64)
    last = np.rint(STEPS_PER_BEAT * straightened(begin + length, off_beat)).astype(np.int64)
    steps = np.maximum(last - first, 1)
    rows = zip(first.tolist(), steps.tolist(), np.asarray(pitch, np.int64).tolist(), strict=True)
    return [GridNote(*row) for row in rows]


def sounding_notes(
    melodies: Sequence[Melody], tempo: float, off_beat: float, velocity: int, start: float = 0.0
) -> tuple[Note, ...]:
    """Return the notes of melodies that follow each other.

    Args:
        melodies: The melodies.
        tempo: Beats per minute.
        off_beat: Place of the off-beat within the beat, 0.5 to 0.75.
        velocity: MIDI velocity of all notes.
        start: Seconds of the first bar line.
    """
    placed = []
    step = 0
    for melody in melodies:
        placed += [(step + note.step, step + note.step + note.steps, note.pitch) for note in melody.notes()]
        step += len(melody.events)
    columns = np.array(placed, np.float64).reshape(-1, 3)
    seconds = start + 60 / tempo * swung(columns[:, :2] / STEPS_PER_BEAT, off_beat)
    return tuple(
        Note(onset, end - onset, int(pitch), velocity)
        for (onset, end), pitch in zip(seconds.tolist(), columns[:, 2].tolist(), strict=True)
    )
