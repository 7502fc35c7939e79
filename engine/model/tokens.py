"""Notes as tokens: four fields a note, on the grid of MidiTok's `Structured` tokenization.

With `beat_res={(0, 2): 50, (2, 20): 5}` at a fixed 120 bpm, MidiTok's grid is 10 ms below 1 s and
100 ms from 1 s to 10 s (MidiTok documentation, "Tokenizations: Structured"). A field's index is its rank
in MidiTok's vocabulary of that field. The streaming encoder below is a table lookup; the tests compare it
with MidiTok's own encoding of files.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note

TICK_SECONDS: Final = 0.01
"""Seconds per tick: the fine step of the grid."""

_FINE_TICKS: Final = 100
_COARSE_STEP: Final = 10
_LAST_TICK: Final = 1000
_HALF: Final = 0.5 + 1e-4

TIME_SHIFT_TICKS: Final = np.concatenate(
    [np.arange(0, _FINE_TICKS), np.arange(_FINE_TICKS, _LAST_TICK + 1, _COARSE_STEP)]
).astype(np.int32)
"""Ticks of each time-shift index: 0 to 99 by 1, then 100 to 1000 by 10. Shape (191,)."""

DURATION_TICKS: Final = TIME_SHIFT_TICKS[1:].copy()
"""Ticks of each duration index; a note lasts at least one tick. Shape (190,)."""

VELOCITIES: Final = np.arange(3, 128, 4, dtype=np.int32)
"""MIDI velocity of each velocity index: 3, 7, ... 127. Shape (32,)."""

FIELDS: Final = ("time_shift", "pitch", "velocity", "duration")
"""The fields of a note in the order the model predicts them."""

TIME_SHIFT, PITCH, VELOCITY, DURATION = range(4)

FIELD_SIZES: Final = (
    len(TIME_SHIFT_TICKS),
    PITCH_HIGHEST - PITCH_LOWEST + 1,
    len(VELOCITIES),
    len(DURATION_TICKS),
)
"""Number of predictable values of each field: 191, 88, 32, 190."""

ABSENT: Final = FIELD_SIZES
"""Input-only index of each field for "no value": all four in a turn token; the velocity of a note from a
corpus without velocities."""

HELD: Final = FIELD_SIZES[DURATION] + 1
"""Input-only duration index of a note whose key is still down."""

INPUT_SIZES: Final = (
    FIELD_SIZES[TIME_SHIFT] + 1,
    FIELD_SIZES[PITCH] + 1,
    FIELD_SIZES[VELOCITY] + 1,
    FIELD_SIZES[DURATION] + 2,
)
"""Rows of each field's embedding table: the predictable values, absent, and for durations held."""


def to_ticks(seconds: ArrayLike) -> NDArray[np.int64]:
    """Return the grid ticks nearest to times in seconds, halves upwards.

    A time within a microsecond below a half counts as on it: binary fractions miss a half such as 0.145 s,
    and MidiTok, which rounds whole MIDI ticks, rounds it up.
    """
    return np.floor(np.asarray(seconds, dtype=np.float64) / TICK_SECONDS + _HALF).astype(np.int64)


_PITCHES: Final = np.arange(PITCH_LOWEST, PITCH_HIGHEST + 1)


def _nearest(table: NDArray[np.int32], ticks: ArrayLike) -> NDArray[np.int64]:
    """Return the index of the table value nearest to each tick count; ties go up, as MidiTok's do."""
    values = np.asarray(ticks)
    upper = np.searchsorted(table, values).clip(0, len(table) - 1)
    lower = np.maximum(upper - 1, 0)
    return np.where(values - table[lower] < table[upper] - values, lower, upper).astype(np.int64)


_LOOKUP_TICKS: Final = np.arange(_LAST_TICK + 1)
_TIME_SHIFT_OF_TICK: Final = _nearest(TIME_SHIFT_TICKS, _LOOKUP_TICKS)
_DURATION_OF_TICK: Final = _nearest(DURATION_TICKS, _LOOKUP_TICKS)
_VELOCITY_OF_MIDI: Final = _nearest(VELOCITIES, np.arange(128))


def time_shift_index(ticks: ArrayLike) -> NDArray[np.int64]:
    """Return the time-shift index of tick counts; more than 10 s counts as 10 s, less than 0 as 0."""
    return _TIME_SHIFT_OF_TICK[np.clip(np.asarray(ticks), 0, _LAST_TICK)]


def duration_index(ticks: ArrayLike) -> NDArray[np.int64]:
    """Return the duration index of tick counts; clamped to between 10 ms and 10 s."""
    return _DURATION_OF_TICK[np.clip(np.asarray(ticks), 0, _LAST_TICK)]


def velocity_index(velocity: ArrayLike) -> NDArray[np.int64]:
    """Return the velocity index of MIDI velocities 0 to 127."""
    return _VELOCITY_OF_MIDI[np.asarray(velocity)]


@dataclass(frozen=True, slots=True)
class NoteTokens:
    """One note as field indices, each within `INPUT_SIZES`: the model's input of one step."""

    time_shift: int
    pitch: int
    velocity: int
    duration: int


TURN_TOKEN: Final = NoteTokens(*ABSENT)
"""Fields of a turn token, the step that marks who plays from here on: no note, only role and style."""


def encode_notes(
    onset: ArrayLike, duration: ArrayLike, pitch: ArrayLike, velocity: ArrayLike
) -> NDArray[np.int64]:
    """Encode a whole performance at once.

    Args:
        onset: Seconds, shape (n,), ascending; notes of one tick ordered by pitch.
        duration: Seconds, shape (n,).
        pitch: MIDI pitches 21 to 108, shape (n,).
        velocity: MIDI velocities, shape (n,).

    Returns:
        Field indices, shape (n, 4). The first time shift counts from time 0.
    """
    ticks = to_ticks(onset)
    return np.stack(
        [
            time_shift_index(np.diff(ticks, prepend=0)),
            np.asarray(pitch, dtype=np.int64) - PITCH_LOWEST,
            velocity_index(velocity),
            duration_index(to_ticks(duration)),
        ],
        axis=1,
    )


class StreamingEncoder:
    """Encodes notes one at a time as they happen; equal to `encode_notes` on the same notes."""

    def __init__(self, origin: float = 0.0) -> None:
        """Count from `origin` seconds."""
        self._previous_tick = int(to_ticks(origin))

    def encode(self, note: Note) -> NoteTokens:
        """Encode the next note. An onset that precedes the one before counts as together with it."""
        tick = max(int(to_ticks(note.onset)), self._previous_tick)
        shift = tick - self._previous_tick
        self._previous_tick = tick
        return NoteTokens(
            int(time_shift_index(shift)),
            note.pitch - PITCH_LOWEST,
            int(velocity_index(note.velocity)),
            int(duration_index(to_ticks(note.duration))),
        )


def decode_note(tokens: NoteTokens, previous_onset: float) -> Note:
    """Return the note of tokens, counted from the onset before it in seconds.

    Raises:
        IndexError: if a field is absent or held, which no predicted note can be.
    """
    return Note(
        onset=previous_onset + float(TIME_SHIFT_TICKS[tokens.time_shift]) * TICK_SECONDS,
        duration=float(DURATION_TICKS[tokens.duration]) * TICK_SECONDS,
        pitch=int(_PITCHES[tokens.pitch]),
        velocity=int(VELOCITIES[tokens.velocity]),
    )
