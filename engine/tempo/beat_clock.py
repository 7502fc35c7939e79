"""Beats and seconds at a constant tempo."""

from dataclasses import dataclass, replace
from typing import Protocol


class Beats(Protocol):
    """Conversion between beats and seconds."""

    def beat(self, time: float) -> float:
        """Return the beat at `time` seconds."""
        ...

    def time(self, beat: float) -> float:
        """Return the seconds of a beat."""
        ...


@dataclass(frozen=True, slots=True)
class BeatClock:
    """Beats at a constant tempo.

    Attributes:
        tempo: Beats per minute, greater than 0.
        origin: Seconds of beat 0.
    """

    tempo: float
    origin: float

    def beat(self, time: float) -> float:
        """Return the beats since beat 0 at `time` seconds; negative before it."""
        return (time - self.origin) * self.tempo / 60

    def time(self, beat: float) -> float:
        """Return the seconds of a beat."""
        return self.origin + beat * 60 / self.tempo

    def at_tempo(self, tempo: float, now: float) -> "BeatClock":
        """Return a clock of another tempo with the same beat at `now` seconds."""
        return BeatClock(tempo, now - self.beat(now) * 60 / tempo)

    def with_beat_at(self, time: float) -> "BeatClock":
        """Return the same clock moved by half a beat at most, so that a beat falls on `time` seconds."""
        return replace(self, origin=self.origin + time - self.time(round(self.beat(time))))
