"""The common part of pitch trackers: samples to frames, frames to notes, and times on the clock."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.timeline import Timeline
from tatumflow.engine.note_tracking.tracker import Samples

_LONGEST_GAP: Final = 0.05
"""Seconds between a block's time and its expected time above which sounding notes are ended."""


class Frame(Protocol):
    """A frame of a source."""

    @property
    def time(self) -> float:
        """Seconds since the start of the stream."""
        ...


F = TypeVar("F", bound=Frame)
Input = TypeVar("Input", bound=Frame, contravariant=True)


class Hearing(Protocol[F]):
    """A model from samples to frames."""

    @property
    def rate(self) -> int:
        """Sample rate of its input in hertz."""
        ...

    @property
    def latency(self) -> float:
        """Most seconds of input after a frame's time before the frame is returned."""
        ...

    def reset(self) -> None:
        """Forget the stream and begin another."""

    def push(self, samples: Samples) -> list[F]:
        """Add samples, (n,), finite, within -1 and 1, and return the frames that they complete."""
        ...


class Segmenter(Protocol[Input]):
    """Notes from frames; times in seconds since the start of the stream."""

    def push(self, frame: Input, /) -> Sequence[NoteOn | NoteOff]:
        """Add the next frame and return the events that it confirms."""
        ...

    def finish(self, time: float, /) -> Sequence[NoteOn | NoteOff]:
        """End the sounding notes at `time` seconds, or when they last sounded."""
        ...


class StreamTracker(Generic[F]):
    """Transcribes a stream; implements `tracker.NoteTracker`."""

    def __init__(self, hearing: Hearing[F], segmenter: Callable[[], Segmenter[F]], decision: float) -> None:
        """Begin before the first sample.

        Args:
            hearing: Model from samples to frames.
            segmenter: Creates the segmenter of a stream.
            decision: Usual seconds of frames that confirm a note.
        """
        self._hearing = hearing
        self._new_segmenter = segmenter
        self._decision = decision
        self._begin()

    @property
    def rate(self) -> int:
        """Sample rate of its input in hertz."""
        return self._hearing.rate

    @property
    def latency(self) -> float:
        """Usual longest delay in seconds from a note's onset to its event."""
        return self._hearing.latency + self._decision

    def push(self, samples: Samples, time: float) -> list[NoteOn | NoteOff]:
        """Add the next samples and return the events that they confirm; see `NoteTracker`.

        Where blocks are missing, sounding notes end with the last sample before.
        """
        events: list[NoteOn | NoteOff] = []
        expected = self._timeline.end
        if expected is not None and len(samples) and abs(time - expected) > _LONGEST_GAP:
            events += self.finish(expected)
        self._timeline.add(len(samples), time)
        return events + self._events(self._hearing.push(sane(samples)))

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End the sounding notes by `time` seconds, and begin anew with the next samples."""
        end = self._timeline.count / self.rate
        after = np.zeros(2 * round(self._hearing.latency * self.rate), dtype=np.float32)
        events = self._events([frame for frame in self._hearing.push(after) if frame.time < end])
        events += self._stamped(self._segmenter.finish(end))
        self._begin()
        return [replace(event, time=min(event.time, time)) for event in events]

    def _begin(self) -> None:
        self._timeline = Timeline(self.rate)
        self._last = -np.inf
        self._segmenter = self._new_segmenter()
        self._hearing.reset()

    def _events(self, frames: list[F]) -> list[NoteOn | NoteOff]:
        return [event for frame in frames for event in self._stamped(self._segmenter.push(frame))]

    def _stamped(self, events: Sequence[NoteOn | NoteOff]) -> list[NoteOn | NoteOff]:
        """Return events with times on the clock, in ascending order."""
        stamped: list[NoteOn | NoteOff] = []
        for event in events:
            self._last = max(self._last, self._timeline.at(event.time))
            stamped.append(replace(event, time=self._last))
        return stamped


def sane(samples: Samples) -> Samples:
    """Return samples clipped to full scale, with zeros for values that are not finite."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
