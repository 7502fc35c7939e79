"""Following MIDI clock: song position and tempo from ticks with jitter, doubled or lost."""

from collections import deque
from itertools import combinations, pairwise
from math import sqrt
from statistics import median
from typing import Final

from tatumflow.engine.midi.events import (
    ClockContinue,
    ClockEvent,
    ClockStart,
    ClockStop,
    ClockTick,
    SongPosition,
)
from tatumflow.engine.tempo.beat_clock import BeatClock

TICKS_PER_BEAT: Final = 24
"""Ticks of MIDI clock in a quarter note (MIDI 1.0 Detailed Specification 4.2, "System Real Time")."""

TICKS_PER_SIXTEENTH: Final = 6
"""Ticks of a sixteenth, the unit of a song position."""

PAUSE: Final = 1.0
"""Seconds without a tick after which the next one is not filtered: several ticks at the slowest tempo."""

_FIRST_ESTIMATE: Final = 5
_LOCKED: Final = 12
_LONGEST_MEMORY: Final = 768
_SHORT_MEMORY: Final = 24
_STRAYS: Final = 12
_STRAY_DEVIATIONS: Final = 6.0
_STRAY_SHARES: Final = (0.25, 0.5)
_BIAS_TICKS: Final = 12
_BIAS_DEVIATIONS: Final = 1.5
_BIAS_FLOOR: Final = 2e-4
_NOISE_TICKS: Final = 96
_FIRST_NOISE: Final = 2e-3
_WHOLE_TICKS: Final = 0.2
_OLDEST_BEND: Final = 24
_MOST: Final = 0.75


class MidiClock:
    """Song position and tempo of a sender of MIDI clock.

    A tick's time and the period between ticks are estimated by a straight line of least squares through the
    ticks since the tempo was last seen to change, 32 beats of them at most: the growing-memory g-h filter
    (Brookner, "Tracking and Kalman Filtering Made Easy", 1998, section 1.2.10), whose gains stop shrinking
    there. Jitter of 3 ms from tick to tick then leaves a fraction of a millisecond.

    The memory shortens to a beat when the ticks come early or late on average. A tick far from where it was
    due is not filtered. Half a beat of them in a row are judged together: if they lie whole ticks away and
    stay there, ticks were lost or doubled, and the song position goes on as it was; else the tempo has
    changed, and the line begins with them.

    Without a start message, a clock counts as running from its first tick, which is then the song's first.

    Attributes:
        running: Whether the song runs, by the sender's messages.
        jumps: How often plans made by this clock became void: starts, stops, changes of position, and abrupt
            changes of tempo.
        last_tick: Seconds at which the last tick came; None before the first.
    """

    def __init__(self) -> None:
        self.running = True
        self.jumps = 0
        self.last_tick: float | None = None
        self._count = -1
        self._at = 0.0
        self._period = 0.0
        self._memory = 0
        self._variance = _FIRST_NOISE**2
        self._residual = 0.0
        self._bias = 0.0
        self._strays: deque[float] = deque(maxlen=_STRAYS)
        self._paused = False
        self._lost = False

    @property
    def clock(self) -> BeatClock | None:
        """Beats of the song; None until there were enough ticks to estimate them."""
        if self._memory < _FIRST_ESTIMATE or self._period <= 0:
            return None
        return BeatClock(60 / (TICKS_PER_BEAT * self._period), self._at - self._count * self._period)

    def handle(self, event: ClockEvent) -> None:
        """Handle an event of the sender; events come in order."""
        match event:
            case ClockTick():
                self._tick(event.time)
            case ClockStart():
                self._go_to(0, event.time)
                self._run(True, event.time)
            case ClockContinue():
                self._run(True, event.time)
            case ClockStop():
                self._run(False, event.time)
            case SongPosition():
                self._go_to(event.sixteenths * TICKS_PER_SIXTEENTH, event.time)

    def lose(self) -> None:
        """Stop the song until ticks come again: the sender is lost."""
        self.running = False
        self.jumps += 1
        self._lost = True

    def _go_to(self, tick: int, time: float) -> None:
        """Let the next tick be the one numbered `tick`."""
        self._count = tick - 1
        self.jumps += 1
        self._note_pause(time)

    def _run(self, running: bool, time: float) -> None:
        self.running = running
        self._lost = False
        self.jumps += 1
        self._note_pause(time)

    def _note_pause(self, time: float) -> None:
        """Detect a pause of the ticks, as some senders make while the song is stopped."""
        if self.last_tick is not None and time - self.last_tick > 2 * self._period:
            self._paused = True
            self._at = max(self._at, time)

    def _tick(self, time: float) -> None:
        before, self.last_tick = self.last_tick, time
        if self._lost:
            self._run(True, time)
        if self.running:
            self._count += 1
        if before is None or self._paused or time - before > PAUSE:
            self._resume(time)
            return
        due = self._at + self._period
        residual = time - due
        if self._memory >= _LOCKED and abs(residual) > self._gate:
            self._at = due
            self._strays.append(time)
            if len(self._strays) == _STRAYS:
                self._judge(list(self._strays))
                self._strays.clear()
            return
        self._strays.clear()
        self._filter(residual)

    def _resume(self, time: float) -> None:
        """Take a tick without filtering; the tempo keeps the weight of a few ticks."""
        self._paused = False
        self._at = time
        self._memory = min(self._memory, _LOCKED) if self._period > 0 else 1
        self._strays.clear()
        self._bias = 0.0

    def _filter(self, residual: float) -> None:
        """Correct time and period by what a tick came later than it was due."""
        n = min(self._memory, _LONGEST_MEMORY)
        self._memory = n + 1
        self._at += self._period + 2 * (2 * n + 1) / ((n + 1) * (n + 2)) * residual
        self._period += 6 / ((n + 1) * (n + 2)) * residual
        if n < _LOCKED:
            return
        # From one tick to the next, so that a drift of tempo does not count as jitter.
        step, self._residual = residual - self._residual, residual
        self._variance += (min(step**2 / 2, 9 * self._variance) - self._variance) / _NOISE_TICKS
        self._bias += (residual - self._bias) / _BIAS_TICKS
        if abs(self._bias) > _BIAS_DEVIATIONS * sqrt(self._variance) + _BIAS_FLOOR:
            self._memory = min(self._memory, _SHORT_MEMORY)
            self._bias = 0.0

    @property
    def _gate(self) -> float:
        """Seconds from its due time beyond which a tick is a stray."""
        least, most = (share * self._period for share in _STRAY_SHARES)
        return min(max(_STRAY_DEVIATIONS * sqrt(self._variance), least), most)

    def _judge(self, strays: list[float]) -> None:
        """Judge ticks in a row that were not where they were due; the last was due at `self._at`."""
        first_due = self._at - (len(strays) - 1) * self._period
        late = [time - first_due - i * self._period for i, time in enumerate(strays)]
        if self._period > 0 and (ticks := self._whole_ticks(late)):
            self._at += ticks * self._period
            if self.running:
                self._count += ticks
            return
        self._memory, self._bias = 1, 0.0
        self._at = strays[0]
        for time in strays[1:]:
            self._filter(time - self._at - self._period)
        self.jumps += 1

    def _whole_ticks(self, late: list[float]) -> int:
        """Return by how many ticks a row late by these seconds is off where it keeps the tempo, else 0."""
        period, tolerance = self._period, max(_WHOLE_TICKS * self._period, sqrt(self._variance))
        whole = [abs(x - round(x / period) * period) <= tolerance for x in late]
        steps = sum(whole) >= _MOST * len(late)
        steps = steps and abs(median(b - a for a, b in pairwise(late))) < period / 4
        middle = median(late)
        # After a change of tempo, the line through them meets the old one a few ticks ago.
        drift = median((b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(late), 2))
        level = _OLDEST_BEND * abs(drift) <= abs(middle)
        ticks = round(middle / period)
        return ticks if steps or (level and abs(middle - ticks * period) <= tolerance) else 0
