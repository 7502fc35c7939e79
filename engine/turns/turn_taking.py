"""Turn taking: the companion's turns by the human's silence, or by bars where bars are traded."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.listener import Listener
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.opening import NO_OPENING, Opening
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS, TurnWindow

OVERHANG: Final = 1.0
"""Beats of the companion's bars in which the human may end a phrase without taking the turn back."""

LATEST_ENTRY: Final = 1.0
"""Beats after its bar line up to which the companion still enters when it is late."""

_BEFORE_ALL_BARS: Final = -1.0


@dataclass(frozen=True, slots=True)
class Bars:
    """The companion's bars, in beats of the clock in use.

    Attributes:
        first: Beat on which they begin, or on which a turn is taken early; infinite where none come.
        end: Beat on which the turn goes over.
    """

    first: float
    end: float


@dataclass(frozen=True, slots=True)
class CompanionTurn:
    """A turn of the companion's, due or in progress.

    Attributes:
        call: The human's phrase it replies to; may be empty.
        at: Seconds at which it comes.
        bars: Bars that it fills where bars are traded; None in free turns.
        until: Seconds at which a free turn ends with a form; None for as long as the mode plays.
    """

    call: Phrase
    at: float
    bars: Bars | None = None
    until: float | None = None


class TurnTaking:
    """The rules of turns; the companion has the state.

    Free turns come after the human's silence and end as the mode determines; an improvisation comes at once.
    Where bars are traded, the bars determine both, and each is entered once: a turn that the human takes back
    comes again with the next bars.
    """

    def __init__(self, listener: Listener, time: Timekeeper, controls: Controls) -> None:
        """Begin with no bars entered; `listener` gives the phrase of the user, `time` the beat."""
        self._listener = listener
        self._time = time
        self._controls = controls
        self._entered = _BEFORE_ALL_BARS
        self._at_once = controls.mode == "improvise"

    def use(self, controls: Controls) -> None:
        """Use other controls; an improvisation that they begin comes at once."""
        if controls.mode != self._controls.mode:
            self._at_once = self._at_once or controls.mode == "improvise"
        self._controls = controls

    def restart(self) -> None:
        """Let every bar be entered again: the beat has jumped, stopped or begun."""
        self._entered = _BEFORE_ALL_BARS
        self._at_once = self._at_once or (self._improvises and self._time.in_tempo)

    def next_bars(self, now: float) -> Bars | None:
        """Return the companion's next bars, or those whose line was just missed; None in free turns."""
        trading = self._time.trading
        if trading is None:
            return None
        beat = self._time.transport.beat(now)
        first = trading.next_entry(max(beat - LATEST_ENTRY, self._entered + LATEST_ENTRY))
        return Bars(first, inf if first == inf else trading.companion_end(first))

    def bars_from(self, now: float) -> Bars | None:
        """Return the bars of a turn taken at `now` seconds; None in free turns."""
        trading = self._time.trading
        if trading is None:
            return None
        beat = self._time.transport.beat(now)
        return Bars(beat, trading.companion_end(beat))

    def comes_at_once(self, bars: Bars | None) -> bool:
        """Return whether a turn comes at once, without a call."""
        return bars is None and self._improvises and self._at_once

    def due(self, bars: Bars | None) -> float | None:
        """Return when the turn comes, by its bars or, without any, by the human's silence.

        Returns:
            Seconds, perhaps past; None while no turn is due.
        """
        if bars is None:
            return self._listener.turn_due(mode_named(self._controls.mode).patience)
        if bars.first == inf:
            return None
        # Its first note must be scheduled by then.
        return self._time.transport.time(bars.first) - max(self._controls.lookahead, ENTRY_SECONDS)

    def is_put_off(self, turn: CompanionTurn) -> bool:
        """Return whether a turn is no longer due at its time because the human has played on."""
        return turn.bars is None and self.due(None) != turn.at

    def enter(self, turn: CompanionTurn) -> None:
        """Record that a turn has come."""
        self._at_once = False
        if turn.bars is not None:
            self._entered = turn.bars.first

    def window(self, turn: CompanionTurn, opening: Opening = NO_OPENING) -> TurnWindow:
        """Return the window of a turn by the mode and the clock as they are now, free turns by an opening."""
        window = mode_named(self._controls.mode).window(turn.call, self._controls, turn.at)
        if turn.bars is not None:
            transport = self._time.transport
            start, end = transport.time(turn.bars.first), transport.time(turn.bars.end)
            return window.between(max(start, turn.at + ENTRY_SECONDS), end)
        if opening.notes:
            window = window.opened(opening.begins_at, opening.ends_at)
        if turn.until is not None:
            transport = self._time.transport
            last_bar = transport.beat(turn.until) - self._time.beats_per_bar
            window = window.closing(turn.until, transport.time(last_bar))
        elif (end := self._time.solos_end) is not None:
            transport = self._time.transport
            last_bar = transport.beat(end) - self._time.beats_per_bar
            window = window.within(end, transport.time(last_bar))
        if self._improvises and self._time.in_tempo:
            start = self._time.next_bar(window.earliest)
            return replace(window, earliest=start, latest_first=start)
        return window

    def end(self, turn: CompanionTurn) -> float | None:
        """Return the seconds at which a turn's bars end, or the tune, by the clock as it is now.

        None for a free turn in a tune that goes on for ever.
        """
        if turn.bars is None:
            return None if turn.until is not None else self._time.solos_end
        return self._time.transport.time(turn.bars.end)

    def over_form(self, turn: CompanionTurn, now: float) -> CompanionTurn:
        """Return a turn in progress at `now` seconds with the end of its bars in the form as it is now."""
        trading = self._time.trading
        if turn.bars is None or trading is None:
            return turn
        beat = self._time.transport.beat(now)
        return replace(turn, bars=replace(turn.bars, end=trading.companion_end(beat)))

    def hangs_over(self, turn: CompanionTurn, time: float) -> bool:
        """Return whether a note at `time` seconds ends a phrase of the human's in the bars of a turn."""
        return turn.bars is not None and self._time.transport.beat(time) < turn.bars.first + OVERHANG

    def goes_by_clock(self, turn: CompanionTurn) -> bool:
        """Return whether a turn is void once the beat has jumped."""
        if turn.bars is not None:
            return True
        return self._improvises and (self._time.in_tempo or self._controls.clock != "internal")

    @property
    def _improvises(self) -> bool:
        return self._controls.mode == "improvise"
