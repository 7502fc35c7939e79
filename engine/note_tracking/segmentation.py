"""Segmentation of the pitch of one voice, frame by frame, into notes.

A note lasts while its pitch stays within a little more than a quarter tone on both sides. Another starts when
a pitch outside that lasts and is steady; after a slide it must last longer than half a period of vibrato. The
same pitch starts again when an attack raises its level, or after a silence. A jump by an octave, an octave
and a fifth or two octaves without an attack is more often an error of the pitch than a note, and must last
longer too.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.dynamics import Dynamics
from tatumflow.engine.note_tracking.pitch_frame import PitchFrame

_PARTIALS: Final = (12.0, 19.0, 24.0)
"""Semitones from a tone to its second, third and fourth partials."""

_ATTACK_BEFORE: Final = 0.04
_ATTACK_AFTER: Final = 0.02
"""Seconds before and after the first frame of a pitch in which its attack is searched."""

_ATTACK_DELAY: Final = 0.012
_PITCH_DELAY: Final = 0.024
"""Seconds from an onset to its frame of attack and of pitch, medians over rendered horns."""

_LEAST_ATTACK: Final = 0.05
"""Least attack that times an onset; below it the pitch does."""

_SCOOP: Final = 0.25
"""Least movement in semitones of the first frames of a scooped note."""

_LEVEL_BEFORE: Final = 0.07
_LEVEL_AFTER: Final = 0.04
"""Seconds before and after an attack between which the rise of the level is measured."""

_CONTEXT: Final = 8
"""Frames kept before a new pitch or an attack."""

_JUMP_FRAMES: Final = 3
"""Frames before a new pitch in which a jump to it counts."""

_FADING: Final = 0.25
"""Decay of the loudest level in decibels a frame."""

_KEPT_FRAMES: Final = 12
"""Frames of the median pitch of a note: a period of vibrato at 5 Hz."""


@dataclass(frozen=True)
class SegmentationSettings:
    """Thresholds of onsets and of held notes. Frames are 16 ms apart.

    Attributes:
        begin_confidence: Least confidence of an onset, 0 to 1.
        hold_confidence: Least confidence of a held note, 0 to `begin_confidence`.
        softest: Level below which no note sounds, in decibels of full scale.
        decay: Decibels below its loudest frame at which a note ends.
        silence_frames: Frames without pitch after which a note has ended, at least 1.
        width: Semitones on both sides of its pitch that belong to a note.
        steady: Largest deviation in semitones of the frames of a new pitch from their median.
        new_frames: Least frames of a new pitch, at least 1.
        octave_frames: Least frames after a jump to another partial of the same tone.
        slid_frames: Least frames of a pitch after a slide.
        jump: Least semitones from one frame to the next of a jump; less is a slide.
        attack: Least attack that starts the same pitch again.
        rise: Least rise of the level in decibels at such an attack.
        repeat_frames: Least frames between two onsets of the same pitch.

    Raises:
        SettingError: if the confidences or counts are out of range.
    """

    begin_confidence: float = 0.5
    hold_confidence: float = 0.3
    softest: float = -55.0
    decay: float = 30.0
    silence_frames: int = 2
    width: float = 0.6
    steady: float = 0.5
    new_frames: int = 3
    octave_frames: int = 5
    slid_frames: int = 7
    jump: float = 0.5
    attack: float = 0.2
    rise: float = 1.5
    repeat_frames: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.hold_confidence <= self.begin_confidence <= 1:
            raise SettingError(
                f"confidence to hold a note, {self.hold_confidence:g}, and to begin one, "
                f"{self.begin_confidence:g}: give 0 to 1, the first not above the second"
            )
        counts = (
            self.silence_frames,
            self.new_frames,
            self.octave_frames,
            self.slid_frames,
            self.repeat_frames,
        )
        if min(counts) < 1:
            raise SettingError("counts of frames are at least 1")


@dataclass(slots=True)
class _Sounding:
    """The note that sounds.

    Attributes:
        pitch: MIDI pitch of its event.
        number: Number of its first frame.
        latest: Pitches of its latest frames.
        loudest: Level of its loudest frame in decibels.
    """

    pitch: int
    number: int
    latest: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_FRAMES))
    loudest: float = -1000.0

    def take(self, frame: PitchFrame) -> None:
        """Add a frame."""
        self.latest.append(frame.pitch)
        self.loudest = max(self.loudest, frame.level)


class NoteSegmenter:
    """Notes from the frames of one voice; times in seconds since the start of the stream."""

    def __init__(self, settings: SegmentationSettings | None = None) -> None:
        """Begin before the first frame."""
        self._settings = settings or SegmentationSettings()
        self._dynamics = Dynamics()
        self._number = -1
        most = max(self._settings.new_frames, self._settings.octave_frames, self._settings.slid_frames)
        self._recent: deque[PitchFrame] = deque(maxlen=most + _CONTEXT)
        self._sounding: _Sounding | None = None
        self._new: list[PitchFrame] = []
        self._missing: list[PitchFrame] = []
        self._last = 0.0
        self._loudest = -np.inf

    def push(self, frame: PitchFrame) -> list[NoteOn | NoteOff]:
        """Add the next frame and return the events that it confirms."""
        self._number += 1
        self._recent.append(frame)
        self._loudest -= _FADING
        if not self._has_pitch(frame):
            return self._unpitched(frame)
        self._missing.clear()
        note = self._sounding
        if note is not None and abs(frame.pitch - median(note.latest)) <= self._settings.width:
            self._new.clear()
            self._take(note, frame)
            return self._repeated(note)
        if self._new and abs(frame.pitch - _pitch(self._new)) > self._settings.steady:
            self._new.clear()
        self._new.append(frame)
        return self._changed() if len(self._new) >= self._needed() else []

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End the sounding note at `time` seconds, or at its last frame with pitch."""
        return self._ended(self._missing[0].time if self._missing else time)

    def _has_pitch(self, frame: PitchFrame) -> bool:
        settings = self._settings
        sure = settings.begin_confidence if self._sounding is None else settings.hold_confidence
        softest = max(settings.softest, self._loudest - settings.decay)
        return frame.level >= softest and frame.confidence >= sure

    def _unpitched(self, frame: PitchFrame) -> list[NoteOn | NoteOff]:
        self._new.clear()
        self._missing.append(frame)
        if len(self._missing) < self._settings.silence_frames:
            return []
        return self._ended(self._missing[0].time)

    def _needed(self) -> int:
        """Return the least frames of the new pitch."""
        settings, note = self._settings, self._sounding
        if note is None:
            return settings.new_frames
        if self._begins_anew(self._attack_at(self._new[0])):
            return settings.new_frames
        leap = abs(_pitch(self._new) - median(note.latest))
        if any(abs(leap - partial) <= settings.width for partial in _PARTIALS):
            return settings.octave_frames
        return settings.new_frames if self._jumped() else settings.slid_frames

    def _jumped(self) -> bool:
        """Return whether the new pitch was reached by a jump."""
        around = list(self._recent)[-len(self._new) - _JUMP_FRAMES :]
        return any(abs(b.pitch - a.pitch) >= self._settings.jump for a, b in pairwise(around))

    def _attack_at(self, first: PitchFrame) -> PitchFrame:
        """Return the frame of the strongest attack around the first frame of a pitch."""
        around = (f for f in self._recent if -_ATTACK_BEFORE <= f.time - first.time <= _ATTACK_AFTER)
        return max(around, key=lambda frame: frame.attack)

    def _begins_anew(self, at: PitchFrame) -> bool:
        """Return whether a frame repeats a tone: vibrato changes the spectrum, but not the level."""
        if at.attack < self._settings.attack:
            return False
        before = (f.level for f in self._recent if -_LEVEL_BEFORE <= f.time - at.time < 0)
        after = (f.level for f in self._recent if 0 <= f.time - at.time <= _LEVEL_AFTER)
        return max(after) - min(before, default=-np.inf) >= self._settings.rise

    def _changed(self) -> list[NoteOn | NoteOff]:
        """Start the note of the new pitch."""
        first, pitch = self._new[0], round(_aim(self._new))
        attack = self._attack_at(first)
        has_attack = attack.attack >= _LEAST_ATTACK
        onset = attack.time - _ATTACK_DELAY if has_attack else first.time - _PITCH_DELAY
        frames, self._new = self._new, []
        note = self._sounding
        if note is not None and pitch == note.pitch and not self._begins_anew(attack):
            note.latest.clear()
            for frame in frames:
                self._take(note, frame)
            return []
        return self._begun(_Sounding(pitch, self._number + 1 - len(frames)), frames, onset)

    def _repeated(self, note: _Sounding) -> list[NoteOn | NoteOff]:
        """Start the same pitch again at an attack as far back as a new pitch must last."""
        settings = self._settings
        back = settings.new_frames - 1
        if self._number - back - note.number < settings.repeat_frames:
            return []
        *_, before, at, after = list(self._recent)[: len(self._recent) - back + 1]
        if at.attack < before.attack or at.attack <= after.attack or not self._begins_anew(at):
            return []
        again = _Sounding(note.pitch, self._number - back, note.latest)
        return self._begun(again, list(self._recent)[-back - 1 :], at.time - _ATTACK_DELAY)

    def _begun(self, note: _Sounding, frames: Iterable[PitchFrame], onset: float) -> list[NoteOn | NoteOff]:
        events = self._ended(onset)
        for frame in frames:
            self._take(note, frame)
        self._sounding = note
        self._last = max(onset, self._last)
        return [*events, NoteOn(self._last, note.pitch, self._dynamics.velocity(note.loudest))]

    def _take(self, note: _Sounding, frame: PitchFrame) -> None:
        note.take(frame)
        self._loudest = max(self._loudest, frame.level)

    def _ended(self, time: float) -> list[NoteOn | NoteOff]:
        note, self._sounding = self._sounding, None
        if note is None:
            return []
        self._last = max(time, self._last)
        return [NoteOff(self._last, note.pitch)]


def _pitch(frames: Iterable[PitchFrame]) -> float:
    return median(frame.pitch for frame in frames)


def _aim(frames: Sequence[PitchFrame]) -> float:
    """Return the target pitch of a note's first frames: a horn's tone is often scooped from below."""
    steps = [b.pitch - a.pitch for a, b in pairwise(frames)]
    one_way = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    if one_way and abs(sum(steps)) >= _SCOOP:
        return frames[-1].pitch
    return _pitch(frames)
