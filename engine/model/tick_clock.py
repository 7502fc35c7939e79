"""The clock of a model's ticks: seconds in free time, beats where there is a beat."""

from typing import Final

from tatumflow.engine.model.metre import (
    BEAT_TICKS,
    NO_BAR_BEAT,
    NO_METRE,
    beat_ticks,
    tempo_index,
)
from tatumflow.engine.model.tokens import TICK_SECONDS, to_ticks
from tatumflow.engine.tempo.beat_clock import Beats

_ONE_BEAT: Final = 1.0


class TickClock:
    """Ticks and metrical places of onsets in seconds.

    The zero of ticks is arbitrary; only differences count, of two onsets on the clock as it is at one moment.
    So a beat that changes its tempo or jumps moves no note of the context.
    """

    def __init__(self) -> None:
        """Begin in free time."""
        self._beats: Beats | None = None
        self._beats_per_bar = 4

    @property
    def in_tempo(self) -> bool:
        """Whether there is a beat."""
        return self._beats is not None

    def follow(self, beats: Beats | None, beats_per_bar: int = 4) -> None:
        """Count in beats from here on, beat 0 being a downbeat, or in seconds where `beats` is None."""
        self._beats, self._beats_per_bar = beats, beats_per_bar

    def tick(self, time: float) -> int:
        """Return the tick nearest to `time` seconds."""
        if self._beats is None:
            return int(to_ticks(time))
        return int(beat_ticks(self._beats.beat(time)))

    def time_after(self, time: float, ticks: int) -> float:
        """Return the seconds `ticks` after `time`; in tempo, after the tick nearest to it."""
        if self._beats is None:
            return time + ticks * TICK_SECONDS
        return self._beats.time((self.tick(time) + ticks) / BEAT_TICKS)

    def tick_seconds(self, time: float) -> float:
        """Return the seconds of a tick at `time` seconds."""
        return TICK_SECONDS if self._beats is None else self._period(time) / BEAT_TICKS

    def metre(self, time: float) -> tuple[int, int, int]:
        """Return phase, beat of the bar and tempo at `time` seconds, as the model's input indices."""
        if self._beats is None:
            return NO_METRE
        tick = self.tick(time)
        in_bar = tick // BEAT_TICKS % self._beats_per_bar
        return tick % BEAT_TICKS, min(in_bar, NO_BAR_BEAT - 1), int(tempo_index(self._period(time)))

    def _period(self, time: float) -> float:
        assert self._beats is not None
        beat = self._beats.beat(time)
        return self._beats.time(beat + _ONE_BEAT) - self._beats.time(beat)
