"""Notes on the grid of a recording's beats, and their timing and dynamics in performance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.band.band_note import BandNote
from tatumflow.engine.midi.notes import Note
from tatumflow.training.data.corpora.wjazzd_beats import Beat

MOST_OFFSET: Final = 0.04
"""Largest deviation of a played note from the grid, in seconds."""


@dataclass(frozen=True)
class Touch:
    """Deviations of a player from the grid.

    Attributes:
        behind: Mean lateness in seconds; negative ahead of the beat.
        unsteadiness: Standard deviation of the onsets in seconds.
        unevenness: Standard deviation of the velocities.
    """

    behind: float = 0.0
    unsteadiness: float = 0.006
    unevenness: float = 5.0


def draw_touch(rng: np.random.Generator) -> Touch:
    """Draw a touch: a mean within 12 ms of the beat, a deviation of 3 to 10 ms."""
    return Touch(float(rng.uniform(-0.008, 0.012)), float(rng.uniform(0.003, 0.01)), float(rng.uniform(3, 8)))


def beat_lengths(beats: Sequence[Beat]) -> list[float]:
    """Return the seconds of each beat; the last is as long as the one before it."""
    lengths = np.diff([beat.time for beat in beats]).tolist()
    return [*lengths, lengths[-1]]


def bars_of(beats: Sequence[Beat]) -> Iterator[range]:
    """Yield the numbers of the beats of each bar."""
    starts = [i for i, beat in enumerate(beats) if beat.beat == 1 or i == 0]
    for start, end in zip(starts, [*starts[1:], len(beats)], strict=True):
        yield range(start, end)


def play(
    notes: Sequence[BandNote], beats: Sequence[Beat], touch: Touch, rng: np.random.Generator
) -> list[Note]:
    """Return notes of a grid as a player performs them.

    Args:
        notes: The notes, in any order.
        beats: The grid.
        touch: The player's touch.
        rng: Random generator of the deviations.

    Returns:
        Notes on the clock of the beats, each within `MOST_OFFSET` of the grid.
    """
    times = np.array([beat.time for beat in beats])
    lengths = np.array(beat_lengths(beats))
    played: list[Note] = []
    for note in notes:
        onset, end = (_seconds(times, lengths, place) for place in (note.beat, note.beat + note.length))
        moved = touch.behind + rng.normal(0, 1) * touch.unsteadiness
        velocity = note.velocity + rng.normal(0, 1) * touch.unevenness
        played.append(
            Note(
                onset=onset + min(max(moved, -MOST_OFFSET), MOST_OFFSET),
                duration=max(end - onset, 0.03),
                pitch=note.pitch,
                velocity=int(min(max(round(velocity), 1), 127)),
            )
        )
    return played


def _seconds(times: np.ndarray, lengths: np.ndarray, place: float) -> float:
    number = min(int(place), len(times) - 1)
    return float(times[number] + (place - number) * lengths[number])
