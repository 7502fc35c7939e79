"""Phrasing: phrases between rests, and dynamics."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import onset_times
from tatumflow.training.evaluate.metrics.texture import sounding_spans

REST_SECONDS: Final = 0.5
"""Seconds of silence between two phrases."""

MIDDLE_C: Final = 60
"""MIDI pitch from which notes count as right hand."""

SECONDS_A_MINUTE: Final = 60.0


@dataclass(frozen=True)
class Phrases:
    """The phrases of a stretch.

    Attributes:
        notes: Notes, or onsets of the line, of each, (p,).
        seconds: Seconds of each, (p,), from its first onset to its last end, or onset of the line.
        rests: Seconds of silence between one and the next, (p - 1,).
    """

    notes: Floats
    seconds: Floats
    rests: Floats


def phrases(notes: NDArray[np.void], rest: float = REST_SECONDS) -> Phrases:
    """Cut a stretch into phrases where nothing sounds for longer than `rest` seconds.

    The stretch's beginning and end cut phrases too, on every side of a comparison.
    """
    spans = sounding_spans(notes)
    if not len(spans):
        return Phrases(np.zeros(0), np.zeros(0), np.zeros(0))
    gaps = spans[1:, 0] - spans[:-1, 1]
    parted = gaps > rest
    starts = spans[np.concatenate([[True], parted]), 0]
    ends = spans[np.concatenate([parted, [True]]), 1]
    index = np.searchsorted(starts, notes["onset"].astype(np.float64) + 1e-9, side="right") - 1
    counts = np.bincount(np.maximum(index, 0), minlength=len(starts)).astype(np.float64)
    return Phrases(counts, ends - starts, gaps[parted])


def line_phrases(notes: NDArray[np.void], rest: float = REST_SECONDS) -> Phrases:
    """Cut the notes from middle C up into phrases where none is struck for longer than `rest` seconds.

    Two hands and a pedal rarely leave a silence, but the right hand still pauses.
    """
    onset = onset_times(notes[notes["pitch"] >= MIDDLE_C])
    if not len(onset):
        return Phrases(np.zeros(0), np.zeros(0), np.zeros(0))
    gaps = np.diff(onset)
    parts = np.split(onset, np.flatnonzero(gaps > rest) + 1)
    counts = np.array([len(part) for part in parts], dtype=np.float64)
    return Phrases(counts, np.array([part[-1] - part[0] for part in parts]), gaps[gaps > rest])


def last_phrase(notes: NDArray[np.void], rest: float = REST_SECONDS) -> NDArray[np.void]:
    """Return the notes after the last rest of a stretch; all of one that has none."""
    found = phrases(notes, rest)
    return notes[len(notes) - int(found.notes[-1]) :] if len(found.notes) else notes


def velocity_spread(notes: NDArray[np.void]) -> float:
    """Return the standard deviation of the MIDI velocities; NaN where none is known."""
    known = notes["velocity"][notes["velocity"] != UNKNOWN_VELOCITY].astype(np.float64)
    return float(known.std()) if len(known) else float("nan")


def mean_velocity(notes: NDArray[np.void]) -> float:
    """Return the mean MIDI velocity; NaN where none is known."""
    known = notes["velocity"][notes["velocity"] != UNKNOWN_VELOCITY].astype(np.float64)
    return float(known.mean()) if len(known) else float("nan")


def velocity_step(notes: NDArray[np.void]) -> float:
    """Return the mean difference of successive notes' MIDI velocities; NaN of fewer than two."""
    known = notes["velocity"][notes["velocity"] != UNKNOWN_VELOCITY].astype(np.float64)
    return float(np.abs(np.diff(known)).mean()) if len(known) > 1 else float("nan")


def phrase_notes(notes: NDArray[np.void]) -> float:
    """Return the mean notes of a phrase; NaN of no notes."""
    found = phrases(notes)
    return float(found.notes.mean()) if len(found.notes) else float("nan")


def phrase_seconds(notes: NDArray[np.void]) -> float:
    """Return the mean seconds of a phrase; NaN of no notes."""
    found = phrases(notes)
    return float(found.seconds.mean()) if len(found.seconds) else float("nan")


def rests_per_minute(notes: NDArray[np.void], seconds: float) -> float:
    """Return the rests of more than `REST_SECONDS` between notes, a minute."""
    return len(phrases(notes).rests) * SECONDS_A_MINUTE / seconds


def longest_rest(notes: NDArray[np.void]) -> float:
    """Return the longest silence between two notes of a stretch in seconds, 0 for none."""
    spans = sounding_spans(notes)
    gaps = spans[1:, 0] - spans[:-1, 1]
    return float(gaps.max()) if len(gaps) else 0.0


def line_phrase_onsets(notes: NDArray[np.void]) -> float:
    """Return the mean onsets of a phrase of the right hand; NaN of none."""
    found = line_phrases(notes)
    return float(found.notes.mean()) if len(found.notes) else float("nan")


def line_rests_per_minute(notes: NDArray[np.void], seconds: float) -> float:
    """Return the pauses of the right hand of more than `REST_SECONDS`, a minute."""
    return len(line_phrases(notes).rests) * SECONDS_A_MINUTE / seconds
