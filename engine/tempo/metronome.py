"""The metronome: clicks on the beats, as notes to be sent in time."""

from math import ceil
from typing import Final

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.tempo.beat_clock import Beats

CLICK_CHANNEL: Final = 9
"""Channel of the clicks, at the scheduler and at the outputs: that of percussion in General MIDI."""

COUNT_IN_VOLUME: Final = 0.7
"""Volume of the clicks that count in where the metronome is softer, or off."""

DOWNBEAT_PITCH: Final = 76
BEAT_PITCH: Final = 77
_DOWNBEAT_VELOCITY: Final = 127
_BEAT_VELOCITY: Final = 96
_CLICK_SECONDS: Final = 0.03


class Metronome:
    """Gives each beat's click once.

    The first of a bar is General MIDI's high wood block, the others are the low one.
    """

    def __init__(self) -> None:
        self._next: int | None = None

    def restart(self) -> None:
        """Begin again with the next beat: the clock has jumped."""
        self._next = None

    def clicks(
        self, beats: Beats, now: float, until: float, beats_per_bar: int, volume: float
    ) -> tuple[Note, ...]:
        """Return the clicks due up to `until` seconds that were not given yet.

        Args:
            beats: Where the beats are. What lies before beat 0 is counted in, and clicks in any case.
            now: Seconds before which there are none.
            until: Seconds.
            beats_per_bar: Beats from one downbeat to the next.
            volume: 0 for none, to 1.
        """
        first = ceil(beats.beat(now))
        beat = first if self._next is None else max(self._next, first)
        clicks: list[Note] = []
        while (onset := beats.time(beat)) <= until:
            loudness = max(volume, COUNT_IN_VOLUME) if beat < 0 else volume
            if loudness > 0:
                clicks.append(_click(onset, beat % beats_per_bar == 0, loudness))
            beat += 1
        self._next = beat
        return tuple(clicks)


def _click(onset: float, downbeat: bool, volume: float) -> Note:
    velocity = _DOWNBEAT_VELOCITY if downbeat else _BEAT_VELOCITY
    pitch = DOWNBEAT_PITCH if downbeat else BEAT_PITCH
    return Note(onset, _CLICK_SECONDS, pitch, max(round(velocity * volume), 1))
