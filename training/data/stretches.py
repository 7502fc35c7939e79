"""A stretch of a piece's notes as field indices: augmentation, quantization, notes cut at turns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.chords import transpose_ids
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.engine.model.metre import (
    BEAT_TICKS,
    NO_BAR_BEAT,
    NO_METRE,
    beat_ticks,
    tempo_index,
    tick_seconds,
)
from tatumflow.engine.model.tokens import (
    DURATION,
    HELD,
    TICK_SECONDS,
    duration_index,
    time_shift_index,
    to_ticks,
    velocity_index,
)
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY

_REACH: Final = 256
"""Notes before a boundary that are searched for notes still sounding."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a stretch, drawn anew for each.

    A stretch from a transcriber's frames is either changed to resemble live playing (onsets spread within the
    frames, another tempo, other velocities) or only transposed: frames of another length than the
    transcriber's occur in no music.

    Attributes:
        lowest: Lowest transposition in semitones.
        highest: Highest transposition in semitones.
        tempo: Greatest change of tempo as a share; factors are log-uniform from 1 - tempo to 1 + tempo.
        softer: Greatest downward shift of velocities, in MIDI steps.
        louder: Greatest upward shift; transcribed velocities of piano are lower than those of keyboards.
        contrast: Greatest change of the velocities' spread around their mean, as a share.
        voiced: Probability that a stretch of unknown velocities gets synthetic ones as inputs. Live input
            has velocities, and so has the companion: if they were missing from all horn solos, their absence
            would mark a horn, and the model would never play like one.
        unframed: Probability that a stretch from a transcriber's frames is changed to resemble live playing.
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
        velocity: MIDI velocities as inputs, `UNKNOWN_VELOCITY` where there are none, (n,) int64.
        known: Which of them are the corpus's own, not synthetic, (n,) bool.
        onset: Seconds since the piece's start, (n,) float64.
        duration: Seconds, (n,) float64.
        chord: Chord ids at the onsets, 0 for none or unknown, (n,) int64.
        shift_read: Time-shift indices as inputs, (n,) int64; those of `fields` where no note is displaced.
        metre: Phase, beat of the bar and tempo at their onsets, (n, 3) int64; see `engine/model/metre.py`.
        metre_read: Those as inputs, (n, 3) int64.
        metre_before: Those of the note before the stretch as inputs, (3,) int64.
        tick_seconds: Seconds of a tick at their onsets, (n,) float64.
    """

    fields: NDArray[np.int64]
    velocity: NDArray[np.int64]
    known: NDArray[np.bool_]
    onset: NDArray[np.float64]
    duration: NDArray[np.float64]
    chord: NDArray[np.int64]
    shift_read: NDArray[np.int64]
    metre: NDArray[np.int64]
    metre_read: NDArray[np.int64]
    metre_before: NDArray[np.int64]
    tick_seconds: NDArray[np.float64]


def encode_stretch(
    notes: NDArray[np.void],
    start: int,
    count: int,
    augmentation: Augmentation | None,
    rng: np.random.Generator,
    *,
    frame: float = 0.0,
    key: NDArray[np.int64] | None = None,
    metre: bool = False,
    displaced: bool = False,
) -> Stretch:
    """Encode `count` notes of a piece from note `start` on.

    The first time shift counts from the note before the stretch, or from 0 at the piece's start. A
    transposition that would move any note off the keyboard is not applied.

    Args:
        notes: All notes of the piece, (n,) of `NOTE_DTYPE`.
        start: First note.
        count: How many notes, at least 1.
        augmentation: The changes; none when None.
        rng: Random generator of the changes.
        frame: Seconds between the frames of the transcriber that made the piece; 0 for none.
        key: Pitch-class counts of the notes before, (12,); the stretch is transposed to where its first notes
            agree best with them, at random when None.
        metre: Whether time is in beats where they are known; else it is in seconds.
        displaced: Whether notes on known beats are read off their places, and each is predicted to land on
            its own: see `displaced_ticks`.
    """
    # The note before is included, since the first time shift counts from it.
    lead = 1 if start else 0
    chosen = notes[start - lead : start + count]
    onset = chosen["onset"].astype(np.float64)
    duration = chosen["duration"].astype(np.float64)
    pitch = chosen["pitch"].astype(np.int64)
    velocity = chosen["velocity"].astype(np.int64)
    chord = chosen["chord"].astype(np.int64)
    known = velocity != UNKNOWN_VELOCITY
    period = np.where(metre, chosen["period"], 0.0).astype(np.float64)
    beat = np.where(period > 0, chosen["beat"], 0.0).astype(np.float64)
    bar_beat = np.where(period > 0, chosen["bar_beat"], -1).astype(np.int64)
    if augmentation is not None:
        framed = bool(frame) and rng.random() >= augmentation.unframed
        if frame and not framed:
            moved, duration = _unframed(onset, duration, frame, rng)
            beat += (moved - onset) / np.where(period > 0, period, np.inf)
            onset = moved
        if not framed:
            factor = math.exp(rng.uniform(math.log(1 - augmentation.tempo), math.log(1 + augmentation.tempo)))
            onset, duration, period = onset * factor, duration * factor, period * factor
        shift = int(rng.integers(augmentation.lowest, augmentation.highest + 1))
        if key is not None and key.any():
            shift = _nearest_shift(pitch[lead : lead + _OPENING], key, augmentation)
        own = pitch[lead:]
        if own.min() + shift >= PITCH_LOWEST and own.max() + shift <= PITCH_HIGHEST:
            pitch = pitch + shift
            chord = transpose_ids(chord, shift)
        if not known.any() and rng.random() < augmentation.voiced:
            velocity = _synthetic_velocities(len(velocity), rng)
        if not framed:
            velocity = _revoiced(velocity, augmentation, rng)
    # A change of time can put notes of two ticks on one, or change their order.
    ticks = _ticks(onset, beat, period)
    # The note before stays the first.
    order = np.concatenate([np.arange(lead), lead + np.lexsort((pitch[lead:], ticks[lead:]))])
    ticks = ticks[order]
    read = displaced_ticks(ticks, rng) if displaced and (period > 0).all() else ticks
    # Notes struck together are displaced together.
    together = np.diff(ticks, prepend=ticks[0] - 1) == 0
    shifts = np.where(together, 0, ticks - np.concatenate([read[:1], read[:-1]]))
    widths = tick_seconds(period)
    fields = np.stack(
        [
            time_shift_index(shifts),
            pitch[order] - PITCH_LOWEST,
            velocity_index(velocity[order]),
            duration_index(to_ticks(duration[order] / widths[order] * TICK_SECONDS)),
        ],
        axis=1,
    )
    beat, bar_beat, period = beat[order], bar_beat[order], period[order]
    places = _places(beat_ticks(beat), beat, bar_beat, period)
    moved = beat_ticks(beat) + read - ticks
    places_read = places if read is ticks else _places(moved, beat, bar_beat, period)
    before = places_read[0] if lead else np.array(NO_METRE)
    own = order[lead:]
    return Stretch(
        fields[lead:],
        velocity[own],
        known[own],
        onset[own],
        duration[own],
        chord[own],
        time_shift_index(np.diff(read, prepend=read[0]))[lead:],
        places[lead:],
        places_read[lead:],
        before,
        widths[own],
    )


def _ticks(
    onset: NDArray[np.float64], beat: NDArray[np.float64], period: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the ticks of onsets, (n,): in beats where they are known, else in seconds.

    Between a note with a beat and one without, the time is counted in seconds.
    """
    known = period > 0
    own = np.where(known, beat_ticks(beat), to_ticks(onset))
    if known.all() or not known.any():
        return own
    order = np.argsort(onset, kind="stable")
    shifts = np.diff(own[order])
    turns = np.flatnonzero(np.diff(known[order].astype(np.int8)))
    shifts[turns] = to_ticks(np.diff(onset[order]))[turns]
    ticks = np.empty_like(own)
    ticks[order] = own[order[0]] + np.concatenate([[0], np.cumsum(np.maximum(shifts, 0))])
    return ticks


def _places(
    ticks: NDArray[np.int64],
    beat: NDArray[np.float64],
    bar_beat: NDArray[np.int64],
    period: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return phase, beat of the bar and tempo of onsets on these ticks, (n, 3).

    A bar has as many beats as the highest one in the stretch: approximate where metres mix.
    """
    # The tick may be of another beat than `bar_beat`, which is that of `beat`.
    carried = ticks // BEAT_TICKS - np.floor(beat).astype(np.int64)
    per_bar = max(int(bar_beat.max(initial=0)) + 1, 2)
    in_bar = np.where(bar_beat >= 0, np.minimum((bar_beat + carried) % per_bar, NO_BAR_BEAT - 1), NO_BAR_BEAT)
    places = np.stack([ticks % BEAT_TICKS, in_bar, tempo_index(period)], axis=1)
    return np.where(period[:, None] > 0, places, np.array(NO_METRE))


_DRIFT_TICKS: Final = 5.0
_JITTER_TICKS: Final = 1.0
_DRIFT_NOTES: Final = 12.0
"""Standard deviations of what some notes share and of each note's own; how many notes share it on average."""


def displaced_ticks(ticks: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ascending ticks moved off their places as a line drifts off the beat, (n,).

    A model that has read only lines which keep the beat cannot return to it: what it plays drifts off, and
    is then its context. Here the context has drifted, and the next note is where the player had it, as with
    the noise in imitation learning of Laskey et al. 2017, "DART", section 4.

    Some successive onsets share a displacement, and each has a little of its own. Notes of one tick move
    together, none before the one before it or beyond the next.
    """
    first = np.flatnonzero(np.diff(ticks, prepend=ticks[0] - 1))
    onsets = ticks[first]
    runs = np.cumsum(rng.random(len(onsets)) < 1 / _DRIFT_NOTES)
    moved = rng.normal(0.0, _DRIFT_TICKS, size=runs[-1] + 1)[runs] + rng.normal(
        0.0, _JITTER_TICKS, len(onsets)
    )
    moved = np.minimum(onsets + np.rint(moved).astype(np.int64), np.append(onsets[1:], onsets[-1]))
    return np.repeat(np.maximum.accumulate(moved), np.diff(np.append(first, len(ticks))))


_CHORD_SPREAD: Final = 0.004
"""Standard deviation in seconds of a note's onset around its chord's: chords stay chords."""


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
"""Notes of a stretch from whose pitch classes its first key is estimated."""


def _nearest_shift(pitch: NDArray[np.int64], key: NDArray[np.int64], augmentation: Augmentation) -> int:
    """Return the semitones by which pitches (n,) agree best with pitch-class counts (12,)."""
    own = np.bincount(pitch % 12, minlength=12)
    shifts = range(augmentation.lowest, augmentation.highest + 1)
    return max(shifts, key=lambda shift: int(np.roll(own, shift) @ key))


_SYNTHETIC_MEAN: Final = (45.0, 85.0)
_SYNTHETIC_SPREAD: Final = 9.0
_SYNTHETIC_MEMORY: Final = 0.6


def _synthetic_velocities(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return random velocities of a line, (count,): a first-order autoregressive process."""
    steps = rng.normal(0.0, _SYNTHETIC_SPREAD * math.sqrt(1 - _SYNTHETIC_MEMORY**2), size=count)
    steps[0] /= math.sqrt(1 - _SYNTHETIC_MEMORY**2)
    line = np.array(list(accumulate(steps, lambda last, step: _SYNTHETIC_MEMORY * last + step)))
    return np.clip(np.rint(rng.uniform(*_SYNTHETIC_MEAN) + line), 1, 127).astype(np.int64)


def _revoiced(
    velocity: NDArray[np.int64], augmentation: Augmentation, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Shift the known velocities and scale their spread, within 1 to 127."""
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
    """Return durations as inputs, with notes that sound across a boundary held or cut there.

    A boundary before note k lies at a random time between the onsets of notes k - 1 and k: a player's last
    key may still be down when the turn passes.

    Args:
        stretch: The notes.
        boundaries: Indices k of the first notes after each boundary, ascending, each from 1 to n - 1.
        held: Probability at a boundary that notes sounding there get the duration `HELD`.
        truncated: Probability that they end there.
        rng: Random generator of the boundaries.

    Returns:
        Input duration indices, (n,) int64.
    """
    indices = stretch.fields[:, DURATION].copy()
    for k in boundaries.tolist():
        # Within one tick notes are in the order of their pitches, not of their onsets.
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
            ticks = (time - stretch.onset[sounding]) / stretch.tick_seconds[sounding]
            cut = np.maximum(ticks * TICK_SECONDS, TICK_SECONDS)
            indices[sounding] = np.minimum(duration_index(to_ticks(cut)), stretch.fields[sounding, DURATION])
    return indices
