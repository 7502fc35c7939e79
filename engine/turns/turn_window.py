"""The window of a turn: when the companion's first note comes, and where it stops."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

ENTRY_SECONDS: Final = 0.03
"""Seconds from the turn to its first note: time to compute one, too short to sound like a wait."""

SHORTEST_LAST: Final = 0.05
"""Seconds before the end of a turn held to bars after which no note starts."""

LONGEST_REST: Final = 0.25
"""Longest rest within a turn held to bars, as a share of the turn."""


@dataclass(frozen=True, slots=True)
class TurnWindow:
    """Bounds of one turn in seconds on the clock in use; the model samples the notes within them.

    Attributes:
        earliest: The first note does not come before this.
        latest_first: Nor after this; equal to `earliest` where the first onset is not sampled.
        rest_from: A gap between onsets that begins here or later and is longer than `rest` ends the turn.
        rest: Seconds.
        rest_shrinks: Whether the rest that ends the turn shrinks evenly from `rest` at `rest_from` to none at
            `last_onset`, so that the turn ends between phrases and not within one.
        last_onset: No note starts after this; those sounding end naturally.
        longest_rest: A gap between onsets that is longer is shortened to this.
        ends_at: End of a turn held to bars; no note sounds beyond it. None ends the turn with its last note.
    """

    earliest: float
    latest_first: float
    last_onset: float
    rest_from: float = inf
    rest: float = inf
    rest_shrinks: bool = False
    longest_rest: float = inf
    ends_at: float | None = None

    def between(self, start: float, end: float) -> "TurnWindow":
        """Return the window of the same turn held to bars, which it fills from `start` to `end` seconds."""
        return replace(
            self,
            earliest=start,
            latest_first=start,
            rest_from=inf,
            last_onset=end - SHORTEST_LAST,
            longest_rest=min(self.longest_rest, LONGEST_REST * (end - start)),
            ends_at=end,
        )

    def opened(self, start: float, end: float) -> "TurnWindow":
        """Return the window of a free turn that an opening fills from `start` to `end` seconds."""
        return replace(
            self, earliest=start, latest_first=start, rest_from=inf, last_onset=end - SHORTEST_LAST
        )

    def closing(self, end: float, last_bar: float) -> "TurnWindow":
        """Return the window of the same turn that ends with a form at `end` seconds, its last phrase with it.

        From `last_bar` seconds on, the beginning of the form's last bar, ever shorter rests end the turn.
        """
        return replace(
            self,
            rest_from=last_bar,
            rest=(end - last_bar) / 2,
            rest_shrinks=True,
            last_onset=end - SHORTEST_LAST,
            ends_at=end,
        )

    def within(self, end: float, last_bar: float) -> "TurnWindow":
        """Return the window of the same turn that ends with a tune at `end` seconds at the latest.

        Args:
            end: Seconds.
            last_bar: Seconds of the beginning of the bar before; see `closing`.
        """
        if self.last_onset < end - SHORTEST_LAST:
            return self
        if self.rest_from < last_bar:
            return replace(self, last_onset=end - SHORTEST_LAST, ends_at=end)
        return self.closing(end, last_bar)

    def paced(self, factor: float) -> "TurnWindow":
        """Return the window of the same turn played `factor` times as fast."""
        return replace(
            self,
            rest_from=self.earliest + (self.rest_from - self.earliest) / factor,
            last_onset=self.earliest + (self.last_onset - self.earliest) / factor,
        )

    def ends_before(self, onset: float, previous_onset: float | None) -> bool:
        """Return whether the turn ends before a note at `onset` seconds, given its previous onset or None."""
        if onset > self.last_onset:
            return True
        if previous_onset is None or previous_onset < self.rest_from:
            return False
        share = (self.last_onset - previous_onset) / (self.last_onset - self.rest_from)
        return onset - previous_onset > self.rest * (share if self.rest_shrinks else 1.0)
