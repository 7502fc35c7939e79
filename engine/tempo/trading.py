"""Trading bars: on which beats the companion's turns begin and end."""

from dataclasses import dataclass
from math import ceil, floor, inf

from tatumflow.engine.harmony.route import STRAIGHT, Route, Stretch

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Trading:
    """Equal turns of some bars of the form, the human's first; the count-in lies before it.

    A jump within the form ends the turn in progress: whose turn it is goes by the place in the form.

    Attributes:
        bars: Bars of a turn, at least 1.
        beats_per_bar: At least 1.
        route: The place in the form of each bar of the beat.
        start: Place in the form, in bars, from which turns are counted.
        last: Bar of the beat before which the last turn ends; None where the form goes on for ever.
    """

    bars: int
    beats_per_bar: int = 4
    route: Route = STRAIGHT
    start: int = 0
    last: int | None = None

    @property
    def beats(self) -> int:
        """Beats of a turn."""
        return self.bars * self.beats_per_bar

    def next_entry(self, beat: float) -> float:
        """Return the first beat, at or after the one given, on which the companion's bars begin.

        Returns:
            The beat; infinite where the form ends before it.
        """
        for stretch in self.route.stretches(self._bar(beat)):
            start, ahead = stretch.start * self.beats_per_bar, self._ahead(stretch)
            if beat <= start and start + ahead >= 0 and floor((start + ahead) / self.beats) % 2 == 1:
                entry = start
            else:
                place = max(beat, start) + ahead
                entry = self.beats * (2 * max(ceil((place / self.beats - 1) / 2), 0) + 1) - ahead
            if entry < stretch.end * self.beats_per_bar:
                return entry if entry < self._end else inf
        return inf

    def companion_end(self, beat: float) -> float:
        """Return the beat on which the companion's bars at a beat end, or the next ones after it."""
        stretch = next(self.route.stretches(self._bar(beat)))
        ahead = self._ahead(stretch)
        end = self.beats * 2 * (max(int((beat + ahead) // (2 * self.beats)), 0) + 1) - ahead
        return min(end, stretch.end * self.beats_per_bar, self._end)

    def _ahead(self, stretch: Stretch) -> int:
        """Return the beats by which the turns are ahead of the beat."""
        return (stretch.ahead - self.start) * self.beats_per_bar

    @property
    def _end(self) -> float:
        return inf if self.last is None else self.last * self.beats_per_bar

    def _bar(self, beat: float) -> int:
        return floor(beat / self.beats_per_bar + _ROUNDING)
