"""The head in time: the melody of a tune as notes for the scheduler, in the choruses that have it."""

from bisect import bisect_left
from math import floor, inf
from typing import Final

from tatumflow.engine.band.swing import swung
from tatumflow.engine.midi.head_file import Head, HeadNote
from tatumflow.engine.midi.notes import Note, fold_pitch
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.course import Course

_LATE: Final = 0.04
"""Seconds after its onset up to which a note still sounds."""

_SAME_BEAT: Final = 1.0
_ON_THE_HALF: Final = 0.02
"""Beats within which a note counts as written on the half of a beat."""

_SOLOIST_OFF_BEAT: Final = 2 / 3
"""Latest off-beat of a melody, in beats: soloists swing less than the drummer at slow tempos."""

_SHORTEST: Final = 0.03
_OCTAVE: Final = 12


class HeadInTime:
    """Returns each note of the melody once, shortly before it is due.

    The melody follows the form: its place, its key, and the loop over some of its bars.
    """

    def __init__(self, head: Head) -> None:
        """Begin anywhere."""
        self.head = head
        self._starts = [note.start for note in head.notes]
        self._next: float | None = None

    def stop(self) -> None:
        """Begin again with the next beat."""
        self._next = None

    def due(self, course: Course, clock: BeatClock, now: float, until: float, off: float) -> list[Note]:
        """Return the notes due up to `until` seconds that were not returned yet.

        Args:
            course: Where the form is.
            clock: Where the beats are.
            now: Seconds before which there are none.
            until: Seconds.
            off: Where off-beats fall, in beats; notes written on the half of a beat are moved there.
        """
        per_bar = course.tune.chart.beats_per_bar
        start, end = clock.beat(now - _LATE), clock.beat(until)
        if self._next is not None and start - _SAME_BEAT <= self._next <= end + _SAME_BEAT:
            start = self._next
        if start >= end:
            return []
        self._next = end
        notes: list[Note] = []
        for stretch in course.route.stretches(course.bar(start)):
            low, high = max(start / per_bar, stretch.start), min(end / per_bar, stretch.end)
            for shift, place, note in self._between(course, low + stretch.ahead, high + stretch.ahead):
                beat = _felt((place - stretch.ahead) * per_bar, off)
                stop = _felt((place - stretch.ahead + note.length) * per_bar, off)
                onset = max(clock.time(beat), now)
                length = max(clock.time(stop) - onset, _SHORTEST)
                notes.append(Note(onset, length, fold_pitch(note.pitch + shift), note.velocity))
            if high < stretch.end:
                break
        return notes

    def _between(self, course: Course, low: float, high: float) -> list[tuple[int, float, HeadNote]]:
        """Return the notes of places from `low` up to `high`: transposition, place, and note as written."""
        tune, found = course.tune, list[tuple[int, float, HeadNote]]()
        first = floor(low / tune.chorus_bars)
        for chorus in range(first, floor(high / tune.chorus_bars) + 2):
            if chorus < 0 or not course.has_head(chorus):
                continue
            # A pickup belongs to the chorus that it leads into; a loop that begins later has none.
            begins = tune.first_bar if tune.first_bar else -inf
            offset = chorus * tune.chorus_bars - tune.first_bar
            shift = (tune.keys[chorus % len(tune.keys)] + _OCTAVE // 2) % _OCTAVE - _OCTAVE // 2
            at = bisect_left(self._starts, max(low - offset, begins))
            while at < len(self._starts) and self._starts[at] < min(
                high - offset, tune.first_bar + tune.chorus_bars
            ):
                note = self.head.notes[at]
                found.append((shift, note.start + offset, note))
                at += 1
        return found


def _felt(beat: float, off: float) -> float:
    """Return a beat with the half of a beat moved to `off` of it."""
    half = floor(beat) + 0.5
    return swung(half, min(off, _SOLOIST_OFF_BEAT)) if abs(beat - half) < _ON_THE_HALF else beat
