"""Sampling of one note: time shift, pitch, velocity and duration, each conditioned on those before."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.constraints import (
    Constraints,
    constrain_pitch,
    constrain_time_shift,
    constrain_velocity,
    not_before,
)
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.sampling import Sampling, choose, choose_pitch
from tatumflow.engine.model.tick_clock import TickClock
from tatumflow.engine.model.tokens import (
    DURATION,
    FIELD_SIZES,
    FIELDS,
    PITCH,
    TICK_SECONDS,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    VELOCITY,
    NoteTokens,
    decode_note,
)

LONGEST_NOTE: Final = 10.0
"""Longest duration of a companion's note in seconds, in tempo too."""


class NoteSampler:
    """Samples the four fields of a note from the state of the last step."""

    def __init__(self, decoder: Decoder, ticks: TickClock) -> None:
        """Take the heads of `decoder` and the clock that its ticks are counted by."""
        self._decoder = decoder
        self._ticks = ticks
        self._known = np.zeros((1, len(FIELD_SIZES)), np.int64)
        self._chord = np.zeros(1, np.int64)
        self._metre = np.array([NO_METRE], np.int64)

    def draw(
        self,
        hidden: Floats,
        sampling: Sampling,
        constraints: Constraints,
        uniform: NDArray[np.float64],
        *,
        previous_onset: float,
        previous_pitch: int | None,
        earliest: float | None,
        chord_at: Callable[[float], int],
    ) -> tuple[Note, int]:
        """Sample a note.

        Args:
            hidden: State of the last step, (1, H).
            sampling: Temperature and filters.
            constraints: What the note may be.
            uniform: One random number in [0, 1) a field, (4,).
            previous_onset: Onset in seconds of the note before, either player's.
            previous_pitch: MIDI pitch of that note; None before the first.
            earliest: Seconds before which the note may not start. Where the longest time shift does not
                reach it, the note starts then.
            chord_at: Gives the chord id in force at a time in seconds, 0 for none.

        Returns:
            The note, and its duration index.

        Raises:
            ModelFault: if the logits are not finite.
        """
        known = self._known[0]
        bound = not_before(constraints, earliest)
        # Of the grid's seconds, which are a beat's ticks at 120 beats a minute.
        scale = self._ticks.tick_seconds(previous_onset) / TICK_SECONDS
        self._metre[0] = self._ticks.metre(previous_onset)
        logits = constrain_time_shift(
            self._logits(TIME_SHIFT, hidden, sampling.pocket),
            constraints,
            wait=(bound - previous_onset) / scale,
            previous_onset=previous_onset,
            previous_pitch=previous_pitch,
        )
        shift = known[TIME_SHIFT] = choose(logits, sampling, uniform[TIME_SHIFT])
        onset = self._ticks.time_after(previous_onset, int(TIME_SHIFT_TICKS[shift]))
        if shift == len(TIME_SHIFT_TICKS) - 1 or self._ticks.in_tempo:
            onset = max(onset, bound, previous_onset)
        self._chord[0] = chord_at(onset)
        self._metre[0] = self._ticks.metre(onset)
        logits = constrain_pitch(
            self._logits(PITCH, hidden),
            constraints,
            onset=onset,
            above=previous_pitch if shift == 0 else None,
        )
        pitch = known[PITCH] = choose_pitch(logits, sampling, uniform[PITCH])
        logits = constrain_velocity(self._logits(VELOCITY, hidden), constraints)
        velocity = known[VELOCITY] = choose(logits, sampling, uniform[VELOCITY])
        duration = choose(self._logits(DURATION, hidden), sampling, uniform[DURATION])
        note = decode_note(NoteTokens(0, pitch, velocity, duration), onset)
        if scale != 1.0:
            # Twenty slow beats would hold a key for a minute.
            note = replace(note, duration=min(note.duration * scale, LONGEST_NOTE))
        return note, duration

    def _logits(self, field: int, hidden: Floats, pocket: float = 1.0) -> Floats:
        known = self._known[:, :field]
        logits = self._decoder.field_logits(field, hidden, known, self._chord, self._metre, pocket)[0]
        if not np.isfinite(logits).all():
            raise ModelFault(f"model: {FIELDS[field]} logits are not finite; try another model")
        return logits
