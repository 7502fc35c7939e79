"""The chords of the human's playing, where no chart is set: for the screen, and for the model's context."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chords import NO_CHORD, Chord
from tatumflow.engine.harmony.live_estimator import LiveChords
from tatumflow.engine.messages import HeardChord

HOLD: Final = 1.0
"""Seconds for which the chord holds when there is nothing more to hear: over full voicings, three in four of
the sure chords are right at once, but one second later fewer than half are."""

_FOR_MODEL: Final = 2


class HeardHarmony:
    """Hears chords while the control `hear_chords` is on and no chart is set."""

    def __init__(self, controls: Controls) -> None:
        self._chords: LiveChords | None = None
        self._for_model = False
        self.use(controls)

    def use(self, controls: Controls) -> None:
        """Begin or stop to hear, by the controls."""
        self._for_model = controls.hear_chords == _FOR_MODEL
        if not controls.hears_chords:
            self._chords = None
        elif self._chords is None:
            self._chords = LiveChords()

    @property
    def chord_at(self) -> Callable[[float], int] | None:
        """The function of `ModelSession.follow_chords`; None for no chords."""
        return self._id_at if self._for_model and self._chords is not None else None

    @property
    def notes(self) -> NDArray[np.float64]:
        """The notes that were heard; see `LiveChords.notes`."""
        return np.zeros((0, 3)) if self._chords is None else self._chords.notes

    def note_on(self, onset: float, pitch: int) -> None:
        """Hear a note whose key is down."""
        if self._chords is not None:
            self._chords.note_on(onset, pitch)

    def note_off(self, time: float, pitch: int) -> None:
        """Hear that a note has ended."""
        if self._chords is not None:
            self._chords.note_off(time, pitch)

    def advance(self, now: float) -> float | None:
        """Update the chord at `now` seconds, if a frame of 0.25 s has ended.

        Returns:
            Seconds at which to call it again; None until a note.
        """
        if self._chords is None:
            return None
        self._chords.advance(now)
        return self._chords.next_look

    def state(self, now: float) -> HeardChord | None:
        """Return the chord at `now` seconds for the screen; None where chords are not heard."""
        if self._chords is None:
            return None
        heard = self._chords.likely
        if heard is None or now > self._chords.heard_until + HOLD:
            return HeardChord("", 0.0)
        chord = Chord.from_id(heard.sure_id)
        return HeardChord("" if chord is None else str(chord), round(heard.confidence, 2))

    def _id_at(self, time: float) -> int:
        """Return the id of the chord that holds at `time` seconds, as far as it is known now and sure."""
        chords = self._chords
        if chords is None or chords.likely is None or time > chords.heard_until + HOLD:
            return NO_CHORD
        return chords.likely.sure_id
