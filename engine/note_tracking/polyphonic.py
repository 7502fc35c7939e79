"""Polyphonic transcription: a piano, a guitar."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.basic_pitch import HOP, LOWEST_PITCH, RATE, BasicPitch, KeysFrame
from tatumflow.engine.note_tracking.dynamics import Dynamics
from tatumflow.engine.note_tracking.stream import StreamTracker

_CONFIRMING: Final = 3
"""Frames after an onset within which its key must sound."""

_SHORTEST_SECONDS: Final = 0.05
"""Shortest time in seconds between two onsets of a key."""


@dataclass(frozen=True)
class KeysSettings:
    """Thresholds of onsets and offsets. Frames are 11.6 ms apart.

    Attributes:
        begins: Least likelihood of an onset, 0 to 1.
        sounds: Least likelihood that a key sounds, 0 to 1.
        softest: Level below which there are no onsets, in decibels of full scale.
        silence_frames: Silent frames after which a note has ended, at least 1.

    Raises:
        SettingError: if one is out of range.
    """

    begins: float = 0.5
    sounds: float = 0.3
    softest: float = -55.0
    silence_frames: int = 8

    def __post_init__(self) -> None:
        if not (0 <= self.begins <= 1 and 0 <= self.sounds <= 1) or self.silence_frames < 1:
            raise SettingError("likelihoods are from 0 to 1, frames of silence at least 1; give others")


class KeysSegmenter:
    """Notes from the frames of a polyphonic source; times in seconds since the start of the stream."""

    def __init__(self, settings: KeysSettings | None = None) -> None:
        """Begin before the first frame."""
        self._settings = settings or KeysSettings()
        self._dynamics = Dynamics()
        self._recent: deque[KeysFrame] = deque(maxlen=_CONFIRMING + 2)
        self._sounding: dict[int, float] = {}
        """Seconds of the last frame in which each sounding key sounds."""
        self._begun: dict[int, float] = {}
        """Seconds of its onset."""
        self._last = 0.0

    def push(self, frame: KeysFrame) -> list[NoteOn | NoteOff]:
        """Add the next frame and return the events that it confirms, some frames before."""
        self._recent.append(frame)
        if len(self._recent) < _CONFIRMING + 2:
            return []
        settings = self._settings
        before, at, after = self._recent[0], self._recent[1], self._recent[2]
        sounds = np.max([f.sounds for f in list(self._recent)[1:]], axis=0)
        is_peak = (at.begins >= before.begins) & (at.begins > after.begins)
        new = is_peak & (at.begins >= settings.begins) & (sounds >= settings.sounds)
        if at.level < settings.softest:
            new[:] = False
        for key in np.flatnonzero(at.sounds >= settings.sounds).tolist():
            if key in self._sounding:
                self._sounding[key] = at.time
        events = self._silent(at.time)
        for key in np.flatnonzero(new).tolist():
            if key in self._sounding and at.time - self._begun[key] < _SHORTEST_SECONDS:
                continue
            events += self._ended(key, at.time)
            self._sounding[key] = self._begun[key] = at.time
            self._last = max(self._last, at.time)
            loudest = max(f.level for f in self._recent)
            events.append(NoteOn(self._last, key + LOWEST_PITCH, self._dynamics.velocity(loudest)))
        return events

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End the sounding notes at `time` seconds."""
        return [event for key in list(self._sounding) for event in self._ended(key, time)]

    def _silent(self, now: float) -> list[NoteOn | NoteOff]:
        """End the keys that have been silent for `silence_frames`."""
        longest = (self._settings.silence_frames - 0.5) * HOP / RATE
        gone = [key for key, last in self._sounding.items() if now - last > longest]
        return [event for key in gone for event in self._ended(key, self._sounding[key])]

    def _ended(self, key: int, time: float) -> list[NoteOn | NoteOff]:
        if self._sounding.pop(key, None) is None:
            return []
        self._last = max(self._last, time)
        return [NoteOff(self._last, key + LOWEST_PITCH)]


class PolyphonicTracker(StreamTracker[KeysFrame]):
    """Transcribes many voices with Basic Pitch."""

    def __init__(self, settings: KeysSettings | None = None) -> None:
        """Open the model.

        Args:
            settings: Thresholds of onsets and offsets.

        Raises:
            BundleError: if the model cannot be run.
        """
        settings = settings or KeysSettings()
        decision = _CONFIRMING * HOP / RATE
        super().__init__(BasicPitch(), lambda: KeysSegmenter(settings), decision)
