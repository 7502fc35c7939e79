"""The form of a tune: the order in which its written bars are played, by repeats, endings and jumps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from tatumflow.engine.errors import ChartError

MOST_BARS: Final = 4096
"""Most bars of a form."""

JumpTarget = Literal["", "coda", "fine", "ending"]
"""Where the music after a jump back leads: nowhere in particular, to the coda, to Fine, or to an ending."""


@dataclass(frozen=True)
class Jump:
    """Da capo or dal segno.

    Attributes:
        to_segno: Whether it leads to the segno; else to the first bar.
        until: Where to go from there.
        ending: Number of the ending, where that is one.
    """

    to_segno: bool = False
    until: JumpTarget = ""
    ending: int = 0


@dataclass(frozen=True)
class Marks:
    """What is written at a bar, before it or after it.

    Attributes:
        repeat_from: A repeat begins before it.
        repeat_to: How often the repeat is played that ends after it, from 1; 0 where none ends.
        endings: The passes that play the ending which begins with it, from 1; empty where none begins.
        closes: A double bar line after it, where the last ending ends too.
        segno: The segno stands before it.
        coda: The coda begins with it.
        to_coda: After it, the music goes on at the coda, once a jump has led back.
        fine: After it, the music ends, once a jump has led back.
        jump: The jump after it.
    """

    repeat_from: bool = False
    repeat_to: int = 0
    endings: frozenset[int] = frozenset()
    closes: bool = False
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    fine: bool = False
    jump: Jump | None = None


@dataclass(frozen=True)
class _Ending:
    passes: frozenset[int]
    first: int
    last: int


@dataclass(frozen=True)
class _Repeat:
    """Bars `first` to `last` are played `times` times, each time with one of the endings.

    An ending of it may stand further on, after other bars; such a one is played after a jump back.
    """

    first: int
    last: int
    times: int
    endings: tuple[_Ending, ...] = ()
    remote: tuple[_Ending, ...] = ()

    def ending(self, number: int) -> _Ending | None:
        """Return the ending that a pass plays, None where it plays none.

        Each pass has its own ending. Where there are more passes than the endings name, the last pass has the
        last ending, or none where there is only one, and the others have those before it.
        """
        for ending in self.remote:
            if number in ending.passes:
                return ending
        if not self.endings:
            return None
        named = max(max(ending.passes) for ending in self.endings)
        leading = self.endings if self.times <= named else self.endings[:-1] or self.endings
        if self.times > named and number >= self.times:
            return self.endings[-1] if len(self.endings) > 1 else None
        return next((ending for ending in leading if number in ending.passes), leading[-1])


def unroll(bars: Sequence[Marks]) -> list[int]:
    """Return the indices of the bars in the order in which they are played.

    Repeats are played before a jump and in the coda, not after a jump, which takes the last ending. Only the
    last jump of a form is taken, and once. A coda without a jump is left out, since it follows the last
    chorus only. What leads nowhere is ignored: a segno that is missing is the first bar, a Fine that is
    missing is the bar of the jump.

    Raises:
        ChartError: if the form has over `MOST_BARS` bars.
    """
    return list(_Walk(bars).order())


class _Walk:
    """One pass through a form."""

    def __init__(self, bars: Sequence[Marks]) -> None:
        self._bars = bars
        repeats = _repeats(bars)
        self._within = {i: repeat for repeat in repeats for i in range(repeat.first, repeat.last + 1)}
        self._remote = {ending.first: repeat for repeat in repeats for ending in repeat.remote}
        self._jump_bar = max((i for i, bar in enumerate(bars) if bar.jump is not None), default=None)
        self._segno = next((i for i, bar in enumerate(bars) if bar.segno), 0)
        self._coda = max((i for i, bar in enumerate(bars) if bar.coda), default=None)
        self._jumped: Jump | None = None
        self._in_coda = False
        self._repeat: _Repeat | None = None
        self._pass = 1

    def order(self) -> Iterator[int]:
        at: int | None = 0
        played = 0
        while at is not None:
            if at == self._coda and not self._in_coda and self._coda_is_left_out():
                return
            at = self._enter(at)
            if at >= len(self._bars):
                return
            played += 1
            if played > MOST_BARS:
                raise ChartError(f"with its repeats the chart has over {MOST_BARS} bars; leave some out")
            yield at
            at = self._leave(at)

    def _coda_is_left_out(self) -> bool:
        return self._jump_bar is None and any(bar.to_coda for bar in self._bars[: self._coda])

    def _enter(self, at: int) -> int:
        """Return the bar that is played when the music comes to `at`, another where an ending is not due."""
        if at in self._remote and self._jumped is None:
            repeat = self._remote[at]
            self._jumped = Jump(until="ending", ending=min(self._bars[at].endings))
            at = repeat.first
        repeat = self._within.get(at)
        if repeat is not self._repeat:
            self._repeat, self._pass = repeat, 1
        if repeat is None or all(ending.first != at for ending in repeat.endings):
            return at
        due = self._due(repeat)
        return repeat.last + 1 if due is None else due.first

    def _due(self, repeat: _Repeat) -> _Ending | None:
        jump = self._jumped
        if jump is None or self._in_coda:
            return repeat.ending(self._pass)
        if jump.until == "ending":
            return repeat.ending(jump.ending)
        for ending in repeat.endings:
            span = self._bars[ending.first : ending.last + 1]
            if (jump.until == "fine" and any(bar.fine for bar in span)) or (
                jump.until == "coda" and any(bar.to_coda for bar in span)
            ):
                return ending
        return repeat.ending(repeat.times)

    def _leave(self, at: int) -> int | None:
        """Return the bar that comes after `at`, None at the end."""
        if self._jumped is not None and not self._in_coda:
            return self._leave_after_jump(at, self._jumped)
        bar, repeat = self._bars[at], self._repeat
        following = at + 1
        if repeat is not None:
            due = repeat.ending(self._pass)
            if at == repeat.last or (due is not None and at == due.last):
                if self._pass < repeat.times:
                    self._pass += 1
                    return repeat.first
                following = repeat.last + 1
            elif self._pass < repeat.times:
                return following
        if at != self._jump_bar or bar.jump is None or self._in_coda:
            return following
        if not bar.jump.until and following == len(self._bars):
            return None
        self._jumped, self._repeat = bar.jump, None
        return self._segno if bar.jump.to_segno else 0

    def _leave_after_jump(self, at: int, jump: Jump) -> int | None:
        bar = self._bars[at]
        if jump.until == "fine" and bar.fine:
            return None
        coda = self._coda if jump.until in ("", "coda") else None
        if coda is not None and (bar.to_coda or (at == self._jump_bar and jump.until)):
            self._in_coda, self._repeat = True, None
            return coda
        if jump.until == "ending" and self._repeat is not None:
            due = self._repeat.ending(jump.ending)
            if due is not None and at == due.last:
                return None
        if at == self._jump_bar and jump.until:
            return None
        if self._repeat is not None and any(at == ending.last for ending in self._repeat.endings):
            return self._repeat.last + 1
        return at + 1


def _repeats(bars: Sequence[Marks]) -> list[_Repeat]:
    """Return the repeats in order; they do not overlap."""
    repeats: list[_Repeat] = []
    start, begun, i = 0, False, 0
    while i < len(bars):
        bar = bars[i]
        if bar.repeat_from or (bar.coda and start < i):
            start, begun = i, True
        if bar.endings and min(bar.endings) > 1 and not begun and repeats and repeats[-1].endings:
            ending = _Ending(bar.endings, i, _ending_end(bars, i))
            repeats[-1] = replace(repeats[-1], remote=(*repeats[-1].remote, ending))
            i = ending.last + 1
            continue
        if bar.endings:
            repeat = _with_endings(bars, start, i)
        elif bar.repeat_to:
            repeat = _Repeat(start, i, bar.repeat_to)
        else:
            i += 1
            continue
        repeats.append(repeat)
        start, begun = repeat.last + 1, False
        i = start
    return repeats


def _with_endings(bars: Sequence[Marks], start: int, first: int) -> _Repeat:
    """Return the repeat from `start` whose first ending begins at `first`."""
    endings: list[_Ending] = []
    times = 1
    i = first
    while i < len(bars) and bars[i].endings:
        last = _ending_end(bars, i)
        endings.append(_Ending(bars[i].endings, i, last))
        times = max(times, *bars[i].endings)
        if bars[last].repeat_to > 2:
            times = max(times, bars[last].repeat_to)
        i = last + 1
    if len(endings) == 1 and bars[endings[0].last].repeat_to:
        times = max(times, 1 + max(endings[0].passes))
    return _Repeat(start, endings[-1].last, times, tuple(endings))


def _ending_end(bars: Sequence[Marks], first: int) -> int:
    """Return the last bar of the ending that begins at `first`."""
    for i in range(first, len(bars) - 1):
        following = bars[i + 1]
        ends = bars[i].repeat_to or bars[i].closes
        if ends or following.endings or following.repeat_from or following.coda:
            return i
    return len(bars) - 1
