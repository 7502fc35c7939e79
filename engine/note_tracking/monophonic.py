"""The notes of one voice: a horn, a singer, a line on any instrument."""

from dataclasses import replace
from typing import Final

import numpy as np

from tatumflow.engine.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.pitch_frame import PitchFrame
from tatumflow.engine.note_tracking.segmentation import NoteSegmenter, SegmentationSettings
from tatumflow.engine.note_tracking.swift_f0 import HOP, RATE, SwiftF0
from tatumflow.engine.note_tracking.timeline import Timeline
from tatumflow.engine.note_tracking.tracker import Samples

_LONGEST_GAP: Final = 0.05
"""Seconds between a block's time and when it was expected, from which on what sounds is cut."""


class MonophonicTracker:
    """Hears one voice; implements `tracker.NoteTracker`."""

    def __init__(self, settings: SegmentationSettings | None = None) -> None:
        """Open the pitch model.

        Args:
            settings: When a note begins, and when it is still the same.

        Raises:
            BundleError: if the model cannot be run.
        """
        self._settings = settings or SegmentationSettings()
        self._pitches = SwiftF0()
        self._begin()

    @property
    def rate(self) -> int:
        """Samples a second of what it hears."""
        return RATE

    @property
    def latency(self) -> float:
        """Seconds from a note's onset to its event, as a rule at most; repeated notes take longer."""
        return SwiftF0.latency + self._settings.new_frames * HOP / RATE

    def push(self, samples: Samples, time: float) -> list[NoteOn | NoteOff]:
        """Take the next samples and return the events that they decide; see `NoteTracker`.

        Where blocks are missing, what sounds ends with the last sample before.
        """
        events: list[NoteOn | NoteOff] = []
        expected = self._timeline.end
        if expected is not None and len(samples) and abs(time - expected) > _LONGEST_GAP:
            events += self.finish(expected)
        self._timeline.add(len(samples), time)
        return events + self._heard(self._pitches.push(sane(samples)))

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End what sounds, at `time` seconds at the latest, and begin anew with the next samples."""
        end = self._timeline.count / RATE
        after = np.zeros(round(SwiftF0.latency * RATE) + HOP, dtype=np.float32)
        events = self._heard([frame for frame in self._pitches.push(after) if frame.time < end])
        events += self._stamped(self._segmenter.finish(end))
        self._begin()
        return [replace(event, time=min(event.time, time)) for event in events]

    def _begin(self) -> None:
        self._timeline = Timeline(RATE)
        self._last = -np.inf
        self._segmenter = NoteSegmenter(self._settings)
        self._pitches.reset()

    def _heard(self, frames: list[PitchFrame]) -> list[NoteOn | NoteOff]:
        return [event for frame in frames for event in self._stamped(self._segmenter.push(frame))]

    def _stamped(self, events: list[NoteOn | NoteOff]) -> list[NoteOn | NoteOff]:
        """Put events on the clock, none before another."""
        stamped: list[NoteOn | NoteOff] = []
        for event in events:
            self._last = max(self._last, self._timeline.at(event.time))
            stamped.append(replace(event, time=self._last))
        return stamped


def sane(samples: Samples) -> Samples:
    """Return samples with silence for what is not finite, within full scale."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
