"""Melodies of a performance: its beat, its swing, and its bars on the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.tracker import bundled_tracker
from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.feel import off_beat_of
from tatumflow.engine.melodies.gridding import grid_notes
from tatumflow.engine.melodies.melody import BEATS_PER_BAR, FIRST_PITCH, STEPS_PER_BAR, Melody, event_row
from tatumflow.engine.midi.notes import Note

_TRACKED_AFTER: Final = 2.0
_FEWEST_BEATS: Final = 4
_EARLY: Final = 0.125


@dataclass(frozen=True)
class BeatTimes:
    """Onsets and ends of notes in beats, (n,) each; 0 is a bar line.

    Attributes:
        onset: Beats of the onsets.
        end: Beats of the ends.
        tempo: Beats per minute.
    """

    onset: NDArray[np.float64]
    end: NDArray[np.float64]
    tempo: float


@dataclass(frozen=True)
class PlayedMelodies:
    """A performance as melodies of the same length that follow each other.

    Attributes:
        melodies: The melodies.
        tempo: Beats per minute.
        off_beat: Place of the off-beat within the beat.
        velocity: Median MIDI velocity.
    """

    melodies: tuple[Melody, ...]
    tempo: float
    off_beat: float
    velocity: int


def steady_beats(notes: Sequence[Note], tempo: float) -> BeatTimes:
    """Return notes in beats of a steady tempo from time 0 on, a bar line."""
    times = np.array([(note.onset, note.offset) for note in notes], np.float64).reshape(-1, 2)
    beats = times * tempo / 60
    return BeatTimes(beats[:, 0], beats[:, 1], tempo)


def tracked_beats(notes: Sequence[Note]) -> BeatTimes:
    """Return notes in the beats that the tracker finds; the tempo is the median.

    Raises:
        SettingError: if it finds fewer than four beats.
    """
    tracker = bundled_tracker()
    ordered = sorted(notes, key=lambda note: note.onset)
    state = tracker.begin(ordered[0].onset)
    found: dict[int, float] = {}
    times = [*(note.onset for note in ordered[1:]), ordered[-1].onset + _TRACKED_AFTER]
    for note, time in zip(ordered, times, strict=True):
        state = tracker.advance(tracker.add_note(state, note.onset, note.pitch, note.velocity), time)
        if state.beat_time is not None:
            found[state.beat] = state.beat_time
    numbers = np.array(sorted(found))
    beats = np.array([found[number] for number in numbers.tolist()])
    rising = np.diff(beats, prepend=-np.inf) > 0
    numbers, beats = numbers[rising], beats[rising]
    if len(beats) < _FEWEST_BEATS:
        raise SettingError("no steady beat is found in the file; give its beats per minute with --tempo")
    period = float(np.median(np.diff(beats) / np.diff(numbers)))
    # The tracker needs a few beats to lock: earlier notes are counted back from there at the median tempo.
    locked = slice(len(beats) // 2, None)
    numbers, beats = numbers[locked], beats[locked]

    def beat(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        inside = np.interp(seconds, beats, numbers.astype(np.float64))
        outside = np.minimum(seconds - beats[0], 0) + np.maximum(seconds - beats[-1], 0)
        return inside + outside / period - state.downbeat

    onset = np.array([note.onset for note in notes])
    end = np.array([note.offset for note in notes])
    return BeatTimes(beat(onset), beat(end), 60 / period)


def played_melodies(notes: Sequence[Note], beats: BeatTimes, bars: int) -> PlayedMelodies:
    """Return the melodies of this many bars of a performance, from its first bar with a note on.

    Melodies without notes are left out; the last one is filled with rests.

    Args:
        notes: The notes, at least one.
        beats: Their beats.
        bars: Bars of a melody.
    """
    off_beat = off_beat_of(np.sort(beats.onset))
    # A note just before a bar line belongs to it.
    first = BEATS_PER_BAR * int(np.floor((beats.onset.min() + _EARLY) / BEATS_PER_BAR))
    pitch = [note.pitch for note in notes]
    placed = grid_notes(beats.onset - first, beats.end - beats.onset, pitch, off_beat)
    steps = bars * STEPS_PER_BAR
    count = max(note.step for note in placed) // steps + 1
    rows = event_row(placed, count * steps).reshape(count, steps)
    melodies = tuple(Melody(tuple(row)) for row in rows.tolist() if max(row) >= FIRST_PITCH)
    velocity = int(np.median([note.velocity for note in notes]))
    return PlayedMelodies(melodies, beats.tempo, off_beat, velocity)
