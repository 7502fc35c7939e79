"""A take and the notes before it, as arrays that its features are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.theory.key import PITCH_CLASSES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPARED_NOTES: Final = 200
"""Most notes before a take that it is compared with."""

COMPARED_SECONDS: Final = 20.0
"""Seconds before a take that it is compared with."""

CALL_NOTES: Final = 64
"""Last notes of the human's, or first of the context where there are none, whose key a take should keep."""

NEAR_NOTES: Final = 64
"""Last notes before a take whose level, register and lengths it is compared with."""

FRAME_SECONDS: Final = 0.032
"""Frame of PiJAMA's transcriber. Onsets are rounded to it, so that neither its grid nor the companion's tells
a player; notes of one frame are struck together."""


@dataclass(frozen=True, eq=False)
class Context:
    """The notes before takes, by onset.

    Attributes:
        onset: Seconds, (n,).
        duration: Seconds, (n,).
        pitch: MIDI pitch, (n,).
        velocity: MIDI velocity, (n,).
        call: Pitch-class counts of the human's last notes, (12,).
        chart: The chords that are played over, and where the beats are; None for none.
    """

    onset: Floats
    duration: Floats
    pitch: Ints
    velocity: Floats
    call: Floats
    chart: ChartInTime | None = None

    @classmethod
    def of(cls, notes: Sequence[HeardNote], chart: ChartInTime | None = None) -> "Context":
        """Return the context of a take after `notes`, by onset and not empty."""
        human = [note.pitch for note in notes if note.role is Role.HUMAN][-CALL_NOTES:]
        near = [note for note in notes if note.onset > notes[-1].onset - COMPARED_SECONDS][-COMPARED_NOTES:]
        pitch = np.array([note.pitch for note in near], np.int64)
        return cls(
            np.array([note.onset for note in near]),
            np.array([note.duration for note in near]),
            pitch,
            np.array([note.velocity for note in near], np.float64),
            pitch_class_counts(np.array(human, np.int64) if human else pitch[:CALL_NOTES]),
            chart,
        )


@dataclass(frozen=True, eq=False)
class Passage:
    """A take after its context.

    Attributes:
        context: The notes before it.
        onset: Seconds of the take's notes, (m,).
        duration: Their seconds, (m,).
        pitch: Their MIDI pitches, (m,).
        velocity: Their MIDI velocities, (m,).
        frames: Frame of each onset of context and take, (k,).
        seconds: Seconds of each, (k,).
        top: Its highest pitch, (k,).
        bottom: Its lowest pitch, (k,).
        sizes: How many notes are struck there, (k,).
        own: How many of the last onsets are the take's, at least 1.
    """

    context: Context
    onset: Floats
    duration: Floats
    pitch: Ints
    velocity: Floats
    frames: Ints
    seconds: Floats
    top: Ints
    bottom: Ints
    sizes: Ints
    own: int

    @classmethod
    def of(cls, context: Context, take: Sequence[Note]) -> "Passage":
        """Return a take, by onset and not empty, after a context."""
        onset = np.array([note.onset for note in take])
        pitch = np.array([note.pitch for note in take], np.int64)
        seconds, pitches = np.concatenate([context.onset, onset]), np.concatenate([context.pitch, pitch])
        frame = np.round(seconds / FRAME_SECONDS).astype(np.int64)
        first = np.flatnonzero(np.diff(frame, prepend=frame[0] - 1))
        frames = frame[first]
        return cls(
            context,
            onset,
            np.array([note.duration for note in take]),
            pitch,
            np.array([note.velocity for note in take], np.float64),
            frames,
            seconds[first],
            np.maximum.reduceat(pitches, first),
            np.minimum.reduceat(pitches, first),
            np.diff(np.append(first, len(frame))),
            max(int((frames >= frame[len(context.onset)]).sum()), 1),
        )

    @property
    def intervals(self) -> Floats:
        """Seconds between successive onsets, (k - 1,), at least a frame."""
        return FRAME_SECONDS * np.maximum(np.diff(self.frames), 1)


def pitch_class_counts(pitch: Ints) -> Floats:
    """Return the notes of each pitch class, (12,)."""
    return np.bincount(pitch % PITCH_CLASSES, minlength=PITCH_CLASSES).astype(np.float64)
