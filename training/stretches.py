"""A stretch of a piece's notes as field indices: augmentation, quantization, and notes cut by a turn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.chords import transpose_ids
from tatumflow.engine.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.engine.tokens import (
    DURATION,
    HELD,
    TICK_SECONDS,
    duration_index,
    time_shift_index,
    to_ticks,
    velocity_index,
)
from tatumflow.training.corpora.piece import UNKNOWN_VELOCITY

_REACH: Final = 256
"""How many notes before a boundary are looked at for notes still sounding."""


@dataclass(frozen=True)
class Augmentation:
    """Changes that leave music music, drawn anew for every stretch.

    A stretch from a transcriber's frames is either made as live playing would be (spread over its frames, at
    another tempo, with other velocities) or, but for its key, left as it is: where the grid stays, the model
    is to know it exactly, and frames of another length are in no music.

    Attributes:
        lowest: Lowest transposition in semitones.
        highest: Highest transposition in semitones.
        tempo: Greatest change of tempo as a share; factors are log-uniform from 1 - tempo to 1 + tempo.
        softer: Greatest downward shift of velocities, in MIDI steps.
        louder: Greatest upward shift; transcribers hear piano more softly than keyboards send it.
        contrast: Greatest change of the velocities' spread around their mean, as a share.
        voiced: Chance that a stretch whose velocities are not known is given imagined ones to read. Who
            plays live has velocities, and so has the companion: were they missing wherever horns play, the
            model would know a horn by that alone, and never play like one.
        unframed: Chance that a stretch from a transcriber's frames is made as live playing would be.
        frames: Seconds between a transcriber's frames, by corpus name. Live playing has no such grid, so the
            model must not depend on one.
    """

    lowest: int = -6
    highest: int = 5
    tempo: float = 0.15
    softer: int = 12
    louder: int = 32
    contrast: float = 0.3
    voiced: float = 0.8
    unframed: float = 0.5
    frames: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Stretch:
    """Consecutive notes of a piece, n of them, in the order of their ticks, then pitches.

    Attributes:
        fields: True field indices, (n, 4) int64; the velocity of a note without one is meaningless.
        velocity: MIDI velocities to read, `UNKNOWN_VELOCITY` where there are none, (n,) int64.
        known: Where these are the player's, and not imagined, (n,) bool.
        onset: Seconds since the piece's start, (n,) float64.
        duration: Seconds, (n,) float64.
        chord: Chord ids at their onsets, 0 where none is known, (n,) int64.
    """

    fields: NDArray[np.int64]
    velocity: NDArray[np.int64]
    known: NDArray[np.bool_]
    onset: NDArray[np.float64]
    duration: NDArray[np.float64]
    chord: NDArray[np.int64]


def encode_stretch(
    notes: NDArray[np.void],
    start: int,
    count: int,
    augmentation: Augmentation | None,
    rng: np.random.Generator,
    *,
    frame: float = 0.0,
    key: NDArray[np.int64] | None = None,
) -> Stretch:
    """Encode `count` notes of a piece from note `start` on.

    The first time shift counts from the note before the stretch, or from 0 at the piece's start. A
    transposition that would take any note off the keyboard is dropped.

    Args:
        notes: All notes of the piece, (n,) of `NOTE_DTYPE`.
        start: First note.
        count: How many notes, at least 1.
        augmentation: What to change; nothing when None.
        rng: Where the changes are drawn from.
        frame: Seconds between the frames of the transcriber that made the piece; 0 for none.
        key: How often each pitch class sounded before, (12,); the stretch is transposed to where its first
            notes agree best with it. By chance when None.
    """
    chosen = notes[start : start + count]
    onset = chosen["onset"].astype(np.float64)
    duration = chosen["duration"].astype(np.float64)
    pitch = chosen["pitch"].astype(np.int64)
    velocity = chosen["velocity"].astype(np.int64)
    chord = chosen["chord"].astype(np.int64)
    known = velocity != UNKNOWN_VELOCITY
    before = float(notes["onset"][start - 1]) if start else 0.0
    if augmentation is not None:
        framed = bool(frame) and rng.random() >= augmentation.unframed
        if frame and not framed:
            onset, duration = _unframed(onset, duration, frame, rng)
        if not framed:
            factor = math.exp(rng.uniform(math.log(1 - augmentation.tempo), math.log(1 + augmentation.tempo)))
            onset, duration, before = onset * factor, duration * factor, before * factor
        shift = int(rng.integers(augmentation.lowest, augmentation.highest + 1))
        if key is not None and key.any():
            shift = _nearest_shift(pitch[:_OPENING], key, augmentation)
        if pitch.min() + shift >= PITCH_LOWEST and pitch.max() + shift <= PITCH_HIGHEST:
            pitch = pitch + shift
            chord = transpose_ids(chord, shift)
        if not known.any() and rng.random() < augmentation.voiced:
            velocity = _imagined(len(velocity), rng)
        if not framed:
            velocity = _revoiced(velocity, augmentation, rng)
    ticks = to_ticks(onset)
    # A change of time can bring notes to one tick that were on two, or change their order.
    order = np.lexsort((pitch, ticks))
    fields = np.stack(
        [
            time_shift_index(np.diff(ticks[order], prepend=to_ticks(before))),
            pitch[order] - PITCH_LOWEST,
            velocity_index(velocity[order]),
            duration_index(to_ticks(duration[order])),
        ],
        axis=1,
    )
    return Stretch(fields, velocity[order], known[order], onset[order], duration[order], chord[order])


_CHORD_SPREAD: Final = 0.004
"""Standard deviation in seconds of a note's onset around its chord's, so that chords
stay chords."""


def _unframed(
    onset: NDArray[np.float64], duration: NDArray[np.float64], frame: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spread onsets and ends over their frames; notes of one frame stay close to each other."""
    chord = np.cumsum(np.diff(onset, prepend=-1.0) > frame / 4)
    moved = onset + rng.uniform(-frame / 2, frame / 2, size=chord[-1] + 1)[chord]
    moved += rng.normal(0.0, _CHORD_SPREAD, size=len(onset))
    moved = np.maximum(moved, 0.0)
    lasting = duration + rng.uniform(-frame / 2, frame / 2, size=len(onset))
    return moved, np.maximum(lasting, TICK_SECONDS)


_OPENING: Final = 64
"""Notes of a stretch whose pitch classes say what key it begins in."""


def _nearest_shift(pitch: NDArray[np.int64], key: NDArray[np.int64], augmentation: Augmentation) -> int:
    """Return the transposition that brings pitches (n,) nearest to a key's pitch classes (12,)."""
    own = np.bincount(pitch % 12, minlength=12)
    shifts = range(augmentation.lowest, augmentation.highest + 1)
    return max(shifts, key=lambda shift: int(np.roll(own, shift) @ key))


_IMAGINED_MEAN: Final = (45.0, 85.0)
_IMAGINED_SPREAD: Final = 9.0
_IMAGINED_MEMORY: Final = 0.6


def _imagined(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return velocities as a line might have them, (count,): an autoregression of the first order."""
    steps = rng.normal(0.0, _IMAGINED_SPREAD * math.sqrt(1 - _IMAGINED_MEMORY**2), size=count)
    steps[0] /= math.sqrt(1 - _IMAGINED_MEMORY**2)
    line = np.array(list(accumulate(steps, lambda last, step: _IMAGINED_MEMORY * last + step)))
    return np.clip(np.rint(rng.uniform(*_IMAGINED_MEAN) + line), 1, 127).astype(np.int64)


def _revoiced(
    velocity: NDArray[np.int64], augmentation: Augmentation, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Shift the known velocities and widen or narrow their spread; none leaves 1 to 127."""
    known = velocity != UNKNOWN_VELOCITY
    if not known.any():
        return velocity
    mean = velocity[known].mean()
    spread = 1 + rng.uniform(-augmentation.contrast, augmentation.contrast)
    shift = rng.integers(-augmentation.softer, augmentation.louder + 1)
    changed = np.clip(np.rint(mean + spread * (velocity - mean) + shift), 1, 127).astype(np.int64)
    return np.where(known, changed, UNKNOWN_VELOCITY)


def boundary_durations(
    stretch: Stretch, boundaries: NDArray[np.int64], held: float, truncated: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the duration indices to read, with notes that sound across a boundary held or cut there.

    A boundary before note k lies at a random time between the onsets of notes k - 1 and k, as a player's
    last key may still be down when the turn passes.

    Args:
        stretch: The notes.
        boundaries: Indices k of the first notes after each boundary, ascending, each from 1 to n - 1.
        held: Chance at a boundary that its sounding notes are read as `HELD`.
        truncated: Chance that they are read as ending there.
        rng: Where the draws come from.

    Returns:
        Input duration indices, (n,) int64.
    """
    indices = stretch.fields[:, DURATION].copy()
    for k in boundaries.tolist():
        # Within one tick notes lie by pitch, not by onset.
        earlier, later = sorted((stretch.onset[k - 1], stretch.onset[k]))
        time = rng.uniform(earlier, later)
        draw = rng.random()
        if draw >= held + truncated:
            continue
        first = max(k - _REACH, 0)
        onset = stretch.onset[first:k]
        sounding = first + np.flatnonzero(onset + stretch.duration[first:k] > time)
        if draw < held:
            indices[sounding] = HELD
        else:
            cut = np.maximum(time - stretch.onset[sounding], TICK_SECONDS)
            indices[sounding] = np.minimum(duration_index(to_ticks(cut)), stretch.fields[sounding, DURATION])
    return indices
