"""The route through a form: which of its bars is played with each bar of the beat."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

_MOST_JUMPS: Final = 8


@dataclass(frozen=True, slots=True)
class Jump:
    """A place where the form goes on from another bar.

    Attributes:
        bar: Bar of the beat with which it does, from 0.
        ahead: Bars by which the form is ahead of the beat from there on; negative where it is behind.
    """

    bar: int
    ahead: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bars of the beat over which the form goes straight on.

    Attributes:
        start: First bar; minus infinity for the first stretch.
        end: Bar after the last; infinity for the last stretch.
        ahead: Bars by which the form is ahead of the beat.
    """

    start: float
    end: float
    ahead: int


@dataclass(frozen=True, slots=True)
class Route:
    """Which bar of a form is played with each bar of the beat; the beat itself never moves.

    A *place* is a bar of the form, counted on from chorus to chorus, from 0. Bars before 0 are those of the
    count-in and of an introduction, which lead to the place of bar 0.

    Attributes:
        jumps: The last 8, by bar.
    """

    jumps: tuple[Jump, ...] = ()

    def place(self, bar: int) -> int:
        """Return the place of a bar of the beat; negative before the form begins."""
        ahead = 0
        for jump in self.jumps:
            if jump.bar > max(bar, 0):
                break
            ahead = jump.ahead
        return bar + ahead

    def jumped(self, bar: int, place: int) -> "Route":
        """Return the route that goes on from `place` with a bar of the beat, without later jumps."""
        kept = tuple(jump for jump in self.jumps if jump.bar < bar)
        return Route((*kept, Jump(bar, place - bar))[-_MOST_JUMPS:])

    def pending(self, bar: int) -> int | None:
        """Return the bar of the last jump after a bar of the beat; None without one."""
        return self.jumps[-1].bar if self.jumps and self.jumps[-1].bar > bar else None

    def stretches(self, bar: int) -> Iterator[Stretch]:
        """Yield the stretches from the one of a bar of the beat on."""
        start, ahead = -inf, 0
        for jump in self.jumps:
            if jump.bar > max(bar, 0):
                yield Stretch(start, jump.bar, ahead)
            start, ahead = jump.bar, jump.ahead
        yield Stretch(start, inf, ahead)

    def bar_of(self, place: int, bar: int) -> int | None:
        """Return the first bar of the beat, at or after `bar`, that has reached a place; None if none has.

        That is where the form comes to the place, or jumps beyond it.
        """
        for stretch in self.stretches(bar):
            first = max(place - stretch.ahead, stretch.start, bar)
            if first < stretch.end:
                return int(first)
        return None


STRAIGHT: Final = Route()
"""The form as it is written, again and again."""
