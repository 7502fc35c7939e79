"""Trading bars: on which beats the companion's turns begin and end."""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Trading:
    """Equal turns of some bars, the human's first, from beat 0 on; the count-in lies before it.

    Attributes:
        bars: Bars of a turn, at least 1.
        beats_per_bar: At least 1.
    """

    bars: int
    beats_per_bar: int = 4

    @property
    def beats(self) -> int:
        """Beats of a turn."""
        return self.bars * self.beats_per_bar

    def next_entry(self, beat: float) -> int:
        """Return the first beat, at or after the one given, on which the companion's bars begin."""
        return self.beats * (2 * max(ceil((beat / self.beats - 1) / 2), 0) + 1)

    def companion_end(self, beat: float) -> int:
        """Return the beat on which the companion's bars at a beat end, or the next ones after it."""
        return self.beats * 2 * (max(int(beat // (2 * self.beats)), 0) + 1)
