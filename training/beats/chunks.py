"""Training chunks of performances for the beat network, with random augmentation."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tatumflow.engine.beats.features import FEATURES, FRAME_RATE, onset_features
from tatumflow.training.beats.examples import BeatExample, NoteList

TRANSCRIBER_FRAME: Final = 0.032
"""Frame length of PiJAMA's transcriber in seconds; its onsets lie on this grid."""

_TEMPO_CHANGE: Final = 1.25
_TRANSPOSITION: Final = 6
_WIDTH: Final = 2.0
"""Frames from a beat at which its target reaches 0."""


@dataclass(frozen=True)
class Chunk:
    """A training chunk of frames with targets.

    Attributes:
        features: (frames, `FEATURES`) float32.
        targets: (frames, 2) float32, 0 to 1: beat and downbeat.
        weights: (frames, 2) float32: weight of each target in the loss, 0 to 1.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def random_chunk(example: BeatExample, frames: int, random: Generator) -> Chunk:
    """Cut a random chunk, and augment its tempo, key, parts, timing, velocities and notes."""
    stretch = float(np.exp(random.uniform(-1, 1) * np.log(_TEMPO_CHANGE)))
    seconds = frames / FRAME_RATE / stretch
    first, last = example.beats[0], example.beats[-1]
    begin = random.uniform(first - 2, max(first - 2, last + 2 - seconds))
    notes = _between(_parts(example, random), begin, begin + seconds)
    onset = _timing(notes.onset, example.kind == "piano", random)
    pitch = notes.pitch + random.integers(-_TRANSPOSITION, _TRANSPOSITION + 1)
    velocity = notes.velocity if random.random() < 0.6 else np.zeros_like(notes.velocity)
    targets, weights = targets_of(example, frames, begin, stretch)
    return Chunk(onset_features((onset - begin) * stretch, pitch, velocity, frames), targets, weights)


def targets_of(
    example: BeatExample, frames: int, begin: float = 0.0, stretch: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return targets and weights, (frames, 2) each, of the frames from `begin` seconds on.

    Time is stretched by the factor `stretch`. Frames outside the known beats have weight 0.
    """
    place = (example.beats - begin) * stretch * FRAME_RATE
    frame = np.arange(frames)
    targets = np.zeros((frames, 2), dtype=np.float32)
    for column, chosen in ((0, example.position >= 0), (1, example.position == 1)):
        for offset in range(-2, 3):
            row = np.floor(place[chosen]).astype(np.int64) + offset
            value = np.maximum(0, 1 - np.abs(row - place[chosen]) / _WIDTH)
            inside = (row >= 0) & (row < frames)
            np.maximum.at(targets[:, column], row[inside], value[inside].astype(np.float32))
    weights = np.zeros((frames, 2), dtype=np.float32)
    if len(place) > 1:
        known = (frame >= place[0] - _WIDTH) & (frame <= place[-1] + _WIDTH)
        weights[:, 0] = np.where(known, np.interp(frame, place, example.certainty), 0)
        weights[:, 1] = np.where(
            known, np.interp(frame, place, example.certainty * (example.position > 0)), 0
        )
    return targets, weights


def _parts(example: BeatExample, random: Generator) -> NoteList:
    notes, draw = example.notes, random.random()
    if example.kind == "solo":
        if draw < 0.25 and len(example.bass):
            notes = merged(notes, _dropped(example.bass, random.choice((0.0, 0.3, 0.5)), random))
        if random.random() < 0.3:
            notes = NoteList(notes.onset, notes.pitch + 12 * random.integers(-1, 2), notes.velocity)
    elif draw < 0.3:
        notes = top_line(notes)
    elif draw < 0.4:
        low = notes.where(notes.pitch < 60)
        notes = low if len(low) > len(notes) / 10 else notes
    return _dropped(notes, random.uniform(0.05, 0.35), random) if random.random() < 0.3 else notes


def top_line(notes: NoteList, together: float = 0.04, lowest: int = 55) -> NoteList:
    """Return the highest note of each group of simultaneous onsets, if at least `lowest`.

    Onsets less than `together` seconds apart count as simultaneous; `lowest` leaves out the left hand.
    """
    order = np.argsort(notes.onset, kind="stable")
    kept: list[int] = []
    for index in order.tolist():
        if kept and notes.onset[index] - notes.onset[kept[-1]] < together:
            if notes.pitch[index] > notes.pitch[kept[-1]]:
                kept[-1] = index
        else:
            kept.append(index)
    chosen = np.zeros(len(notes), dtype=np.bool_)
    chosen[kept] = True
    return notes.where(chosen & (notes.pitch >= lowest))


def _dropped(notes: NoteList, share: float, random: Generator) -> NoteList:
    return notes.where(random.random(len(notes)) >= share)


def merged(one: NoteList, other: NoteList) -> NoteList:
    """Return the notes of two lists in the order of their onsets."""
    onset = np.concatenate([one.onset, other.onset])
    order = np.argsort(onset, kind="stable")
    return NoteList(
        onset[order],
        np.concatenate([one.pitch, other.pitch])[order],
        np.concatenate([one.velocity, other.velocity])[order],
    )


def _between(notes: NoteList, begin: float, end: float) -> NoteList:
    return notes.where((notes.onset >= begin) & (notes.onset < end))


def _timing(onset: NDArray[np.float64], gridded: bool, random: Generator) -> NDArray[np.float64]:
    """Quantize exact onsets to the transcriber's grid, or jitter those on it, with probability 1/2."""
    if random.random() < 0.5:
        return onset
    if gridded:
        return onset + random.uniform(-0.5, 0.5, len(onset)) * TRANSCRIBER_FRAME
    phase = random.uniform(0, TRANSCRIBER_FRAME)
    return np.round((onset - phase) / TRANSCRIBER_FRAME) * TRANSCRIBER_FRAME + phase


def collate(chunks: list[Chunk]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return features (batch, `FEATURES`, frames), targets and weights (batch, 2, frames)."""
    features = np.stack([chunk.features.T for chunk in chunks])
    assert features.shape[1] == FEATURES
    return (
        features,
        np.stack([chunk.targets.T for chunk in chunks]),
        np.stack([chunk.weights.T for chunk in chunks]),
    )
