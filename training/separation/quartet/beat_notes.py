"""Notes placed on beats, and how a player puts them into time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.training.data.corpora.wjazzd_beats import Beat

MOST_OFFSET: Final = 0.04
"""Seconds that a played note is from its place at most."""

_SHORT_NOTE: Final = 0.1
"""Seconds that the second of two swung eighths does not fall below until they are even (Friberg and
Sundström, "Swing ratios and ensemble timing in jazz performance", Music Perception 19, 2002)."""


@dataclass(frozen=True)
class BeatNote:
    """A note on a grid of beats.

    Attributes:
        beat: Beats since the first of the grid.
        length: Beats, greater than 0.
        pitch: MIDI pitch.
        velocity: MIDI velocity, before the player's own unevenness.
    """

    beat: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Touch:
    """How a player is apart from the grid.

    Attributes:
        behind: Seconds behind the beat, negative ahead of it.
        unsteadiness: Standard deviation of the onsets in seconds.
        unevenness: Standard deviation of the velocities.
    """

    behind: float = 0.0
    unsteadiness: float = 0.006
    unevenness: float = 5.0


def draw_touch(rng: np.random.Generator) -> Touch:
    """Draw how a player is: within 12 ms of the beat on the average, 3 to 10 ms unsteady."""
    return Touch(float(rng.uniform(-0.008, 0.012)), float(rng.uniform(0.003, 0.01)), float(rng.uniform(3, 8)))


def offbeat(beat_seconds: float) -> float:
    """Return where in a beat its second eighth lies: from two thirds at slow tempos to half at fast ones."""
    return 1 - min(max(_SHORT_NOTE / beat_seconds, 1 / 3), 1 / 2)


def beat_lengths(beats: Sequence[Beat]) -> list[float]:
    """Return the seconds of each beat; the last is as long as the one before it."""
    lengths = np.diff([beat.time for beat in beats]).tolist()
    return [*lengths, lengths[-1]]


def bars_of(beats: Sequence[Beat]) -> Iterator[range]:
    """Give the numbers of the beats of each bar."""
    starts = [i for i, beat in enumerate(beats) if beat.beat == 1 or i == 0]
    for start, end in zip(starts, [*starts[1:], len(beats)], strict=True):
        yield range(start, end)


def chord_begins(beats: Sequence[Beat], number: int) -> bool:
    """Return whether a chord begins on a beat."""
    return number == 0 or beats[number].chord != beats[number - 1].chord


def play(
    notes: Sequence[BeatNote], beats: Sequence[Beat], touch: Touch, rng: np.random.Generator
) -> list[Note]:
    """Put notes into time as a player would.

    Args:
        notes: In any order.
        beats: The grid.
        touch: How the player is.
        rng: Where the unsteadiness is drawn from.

    Returns:
        Notes on the clock of the beats, each within `MOST_OFFSET` of its place.
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
