"""The clock `listen`: tempo and beat of the user's playing, while the beat tracker is confident."""

from typing import Final

from tatumflow.engine.beats.features import FRAME_RATE
from tatumflow.engine.beats.tracker import BeatEstimate, BeatTracker
from tatumflow.engine.tempo.beat_clock import BeatClock

LOCK: Final = 0.6
"""Confidence from which on a beat counts as sure."""

RELEASE: Final = 0.35
"""Confidence below which a beat counts as unsure."""

BEATS_TO_LOCK: Final = 3
"""Sure beats in a row that lock the clock to the beat."""

BEATS_TO_RELEASE: Final = 4
"""Unsure beats in a row that release the clock, or beats elsewhere in a row that move it."""

COAST: Final = 60.0
"""Seconds without a note for which the beat goes on."""

LOOK: Final = 0.1
"""Seconds between two updates of the beat while notes come."""

REST_LOOK: Final = 0.5
"""Seconds between two updates while the user rests."""

_RECENT: Final = 1.5
_PULL: Final = 0.3
_TEMPO_PULL: Final = 0.2
_NEAR: Final = 0.2
_SAME_TEMPO: Final = 0.1
_LEVELS: Final = (1.0, 2.0, 0.5)
_METER: Final = 4


class BeatFollower:
    """Locks a clock to the beat of notes, follows it, and releases it.

    The clock locks once the beat is sure for some beats, with downbeats on multiples of four beats. It then
    follows the playing gently, so that plans made by it stay right, and goes on by itself while the user
    rests. It is released once the beat is unsure for some beats, and moved once the beat is surely elsewhere.

    Attributes:
        clock: The beat; None while there is none.
        confidence: The tracker's confidence, 0 to 1.
    """

    def __init__(self, tracker: BeatTracker, now: float) -> None:
        """Begin with no beat at `now` seconds."""
        self.clock: BeatClock | None = None
        self.confidence = 0.0
        self._tracker = tracker
        self._state = tracker.begin(now)
        self._last_onset: float | None = None
        self._beat: int | None = None
        self._sure = self._unsure = self._away = 0

    @property
    def next_look(self) -> float | None:
        """Seconds at which `advance` is due; None before a note."""
        if self._last_onset is None:
            return None
        tracked = self._state.frame / FRAME_RATE
        return tracked + (LOOK if tracked < self._last_onset + _RECENT else REST_LOOK)

    def add_note(self, onset: float, pitch: int, velocity: int) -> None:
        """Keep a note for the next update."""
        self._last_onset = onset
        self._state = self._tracker.add_note(self._state, onset, pitch, velocity)

    def advance(self, now: float) -> bool:
        """Update the beat at `now` seconds; return whether the clock was locked, moved or released."""
        if self._last_onset is None:
            return False
        if now >= self._last_onset + COAST:
            self._last_onset, self._state = None, self._tracker.begin(now)
            return self._release()
        self._state = self._tracker.advance(self._state, now)
        return self._follow(now)

    def _follow(self, now: float) -> bool:
        found = self._tracker.estimate(self._state)
        if found is None or self._last_onset is None or now - self._last_onset > _RECENT:
            return False
        self.confidence = found.confidence
        if found.beat == self._beat:
            return False
        self._beat = found.beat
        self._sure = self._sure + 1 if found.confidence >= LOCK else 0
        self._unsure = self._unsure + 1 if found.confidence < RELEASE else 0
        if self.clock is None:
            return self._lock(found) if self._sure >= BEATS_TO_LOCK else False
        if self._unsure >= BEATS_TO_RELEASE:
            return self._release()
        pulled = _pulled(self.clock, found)
        self._away = 0 if pulled is not None else self._away + 1
        if pulled is not None:
            self.clock = pulled
        elif self._away >= BEATS_TO_RELEASE and self._sure >= BEATS_TO_LOCK:
            return self._lock(found)
        return False

    def _lock(self, found: BeatEstimate) -> bool:
        self._away = 0
        self.clock = BeatClock(found.tempo, found.time - found.beat % _METER * 60 / found.tempo)
        return True

    def _release(self) -> bool:
        had = self.clock is not None
        self.clock, self.confidence = None, 0.0 if self._last_onset is None else self.confidence
        self._sure = self._unsure = self._away = 0
        return had


def _pulled(clock: BeatClock, found: BeatEstimate) -> BeatClock | None:
    """Return the clock moved towards an estimate on any metrical level; None if the estimate is elsewhere."""
    level = min(_LEVELS, key=lambda level: abs(found.tempo / clock.tempo / level - 1))
    if abs(found.tempo / clock.tempo / level - 1) > _SAME_TEMPO:
        return None
    beat = clock.beat(found.time)
    error = beat - round(beat * level) / level
    if abs(error) > _NEAR:
        return None
    tempo = clock.tempo + _TEMPO_PULL * (found.tempo / level - clock.tempo)
    return BeatClock(tempo, found.time - (beat - _PULL * error) * 60 / tempo)
