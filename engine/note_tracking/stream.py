"""What every tracker does around its model: samples in, frames, notes, and the clock's times on them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.timeline import Timeline
from tatumflow.engine.note_tracking.tracker import Samples

_LONGEST_GAP: Final = 0.05
"""Seconds between a block's time and when it was expected, from which on what sounds is cut."""


class Frame(Protocol):
    """What is heard in a moment."""

    @property
    def time(self) -> float:
        """Seconds since the stream began."""
        ...


F = TypeVar("F", bound=Frame)
Heard = TypeVar("Heard", bound=Frame, contravariant=True)


class Hearing(Protocol[F]):
    """A model that gives frames of samples."""

    @property
    def rate(self) -> int:
        """Samples a second of what it hears."""
        ...

    @property
    def latency(self) -> float:
        """Seconds that must have arrived after a frame's time, at most, before it is given."""
        ...

    def reset(self) -> None:
        """Forget the stream and begin another."""
        ...

    def push(self, samples: Samples) -> list[F]:
        """Take samples, (n,), finite, within -1 and 1, and return the frames that they decide."""
        ...


class Segmenter(Protocol[Heard]):
    """Makes notes of frames; all times in seconds since the stream began."""

    def push(self, frame: Heard, /) -> Sequence[NoteOn | NoteOff]:
        """Take the next frame and return what it decides."""
        ...

    def finish(self, time: float, /) -> Sequence[NoteOn | NoteOff]:
        """End what sounds, at `time` or when it was last heard."""
        ...


class StreamTracker(Generic[F]):
    """Hears a stream; implements `tracker.NoteTracker`."""

    def __init__(self, hearing: Hearing[F], segmenter: Callable[[], Segmenter[F]], decision: float) -> None:
        """Begin before the first sample.

        Args:
            hearing: What gives frames.
            segmenter: Makes what makes notes of them, for each stream a new one.
            decision: Seconds of frames that it takes, as a rule, to decide on a note.
        """
        self._hearing = hearing
        self._new_segmenter = segmenter
        self._decision = decision
        self._begin()

    @property
    def rate(self) -> int:
        """Samples a second of what it hears."""
        return self._hearing.rate

    @property
    def latency(self) -> float:
        """Seconds from a note's onset to its event, as a rule at most."""
        return self._hearing.latency + self._decision

    def push(self, samples: Samples, time: float) -> list[NoteOn | NoteOff]:
        """Take the next samples and return the events that they decide; see `NoteTracker`.

        Where blocks are missing, what sounds ends with the last sample before.
        """
        events: list[NoteOn | NoteOff] = []
        expected = self._timeline.end
        if expected is not None and len(samples) and abs(time - expected) > _LONGEST_GAP:
            events += self.finish(expected)
        self._timeline.add(len(samples), time)
        return events + self._heard(self._hearing.push(sane(samples)))

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End what sounds, at `time` seconds at the latest, and begin anew with the next samples."""
        end = self._timeline.count / self.rate
        after = np.zeros(2 * round(self._hearing.latency * self.rate), dtype=np.float32)
        events = self._heard([frame for frame in self._hearing.push(after) if frame.time < end])
        events += self._stamped(self._segmenter.finish(end))
        self._begin()
        return [replace(event, time=min(event.time, time)) for event in events]

    def _begin(self) -> None:
        self._timeline = Timeline(self.rate)
        self._last = -np.inf
        self._segmenter = self._new_segmenter()
        self._hearing.reset()

    def _heard(self, frames: list[F]) -> list[NoteOn | NoteOff]:
        return [event for frame in frames for event in self._stamped(self._segmenter.push(frame))]

    def _stamped(self, events: Sequence[NoteOn | NoteOff]) -> list[NoteOn | NoteOff]:
        """Put events on the clock, none before another."""
        stamped: list[NoteOn | NoteOff] = []
        for event in events:
            self._last = max(self._last, self._timeline.at(event.time))
            stamped.append(replace(event, time=self._last))
        return stamped


def sane(samples: Samples) -> Samples:
    """Return samples with silence for what is not finite, within full scale."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
