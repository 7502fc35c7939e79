"""The metronome: clicks on the beats, as notes for the scheduler."""

from math import ceil
from typing import Final

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.tempo.beat_clock import Beats

CLICK_CHANNEL: Final = 9
"""MIDI and scheduler channel of the clicks: that of percussion in General MIDI."""

COUNT_IN_VOLUME: Final = 0.7
"""Least volume of the clicks of the count-in, 0 to 1."""

DOWNBEAT_PITCH: Final = 76
BEAT_PITCH: Final = 77
_DOWNBEAT_VELOCITY: Final = 127
_BEAT_VELOCITY: Final = 96
_CLICK_SECONDS: Final = 0.03


class Metronome:
    """Returns each beat's click once.

    The first of a bar is General MIDI's high wood block, the others are the low one.
    """

    def __init__(self) -> None:
        self._next: int | None = None

    def restart(self) -> None:
        """Begin again with the next beat: the clock has jumped."""
        self._next = None

    def clicks(
        self,
        beats: Beats,
        now: float,
        until: float,
        beats_per_bar: int,
        volume: float,
        *,
        count_in: bool = True,
    ) -> tuple[Note, ...]:
        """Return the clicks due up to `until` seconds that were not returned yet.

        Args:
            beats: Where the beats are; those before beat 0 are the count-in.
            now: Seconds before which there are none.
            until: Seconds.
            beats_per_bar: Beats from one downbeat to the next.
            volume: 0 for none, to 1.
            count_in: Whether the count-in clicks, at any volume; else the drummer counts.
        """
        first = ceil(beats.beat(now))
        beat = first if self._next is None else max(self._next, first)
        clicks: list[Note] = []
        while (onset := beats.time(beat)) <= until:
            counted = max(volume, COUNT_IN_VOLUME) if count_in else 0.0
            loudness = counted if beat < 0 else volume
            if loudness > 0:
                clicks.append(_click(onset, beat % beats_per_bar == 0, loudness))
            beat += 1
        self._next = beat
        return tuple(clicks)


def _click(onset: float, downbeat: bool, volume: float) -> Note:
    velocity = _DOWNBEAT_VELOCITY if downbeat else _BEAT_VELOCITY
    pitch = DOWNBEAT_PITCH if downbeat else BEAT_PITCH
    return Note(onset, _CLICK_SECONDS, pitch, max(round(velocity * volume), 1))
