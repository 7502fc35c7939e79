"""Metrical places: tempo, beat of the bar and phase within the beat, as the model's input indices.

Where the beat is known, ticks count in beats: a beat is always `BEAT_TICKS` ticks, whatever its length, so
that a rhythm has the same shifts at every tempo. Where it is not, a tick is `TICK_SECONDS`. Nothing is
quantized to a beat: micro-timing stays within the ticks.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.model.tokens import TICK_SECONDS, TIME_SHIFT_TICKS

BEAT_TICKS: Final = 50
"""Ticks of a beat; at 120 beats per minute a tick has `TICK_SECONDS`."""

NO_PHASE: Final = BEAT_TICKS
NO_BAR_BEAT: Final = 8
NO_TEMPO: Final = 16
"""Indices of an unknown phase, beat of the bar and tempo."""

METRE_SIZES: Final = (NO_PHASE + 1, NO_BAR_BEAT + 1, NO_TEMPO + 1)
"""Rows of the tables of phase, beat of the bar and tempo: 51, 9, 17."""

NO_METRE: Final = (NO_PHASE, NO_BAR_BEAT, NO_TEMPO)
"""Metrical place of a note whose beat is unknown."""

PHASE, BAR_BEAT, TEMPO = range(3)

LANDINGS: Final = np.concatenate(
    [
        (np.arange(BEAT_TICKS)[:, None] + TIME_SHIFT_TICKS) % BEAT_TICKS,
        np.zeros((1, len(TIME_SHIFT_TICKS)), np.int64),
    ]
).astype(np.int64)
"""Phase on which each time shift ends, by the phase it begins on, (51, 191); the last row is unused."""

_SLOWEST: Final = 40.0
_OCTAVES: Final = 3.0


def beat_ticks(beat: ArrayLike) -> NDArray[np.int64]:
    """Return the ticks nearest to times in beats, halves upwards."""
    return np.floor(np.asarray(beat, dtype=np.float64) * BEAT_TICKS + 0.5).astype(np.int64)


def tempo_index(period: ArrayLike) -> NDArray[np.int64]:
    """Return the tempo index of beats that last `period` seconds, 40 to 320 bpm in 16 steps."""
    tempo = 60 / np.maximum(np.asarray(period, dtype=np.float64), 1e-6)
    place = np.log2(tempo / _SLOWEST) / _OCTAVES * NO_TEMPO
    return np.clip(np.floor(place), 0, NO_TEMPO - 1).astype(np.int64)


def with_landings(
    logits: NDArray[np.float32], landing: NDArray[np.float32], metre: NDArray[np.int64], pocket: float
) -> NDArray[np.float32]:
    """Add to time-shift logits the logits of the phase on which each shift ends.

    Args:
        logits: Logits of time shifts, (n, 191).
        landing: Logits of phases, (n, 50).
        metre: Metrical places of the notes before, (n, 3); one without a phase adds nothing.
        pocket: Weight of the phase logits: 0 for none, 1 as trained.

    Returns:
        Logits, (n, 191).
    """
    phase = metre[:, PHASE]
    known = (phase != NO_PHASE)[:, None] & (pocket > 0)
    added = np.take_along_axis(landing, LANDINGS[phase], axis=1) * np.float32(pocket)
    return logits + np.where(known, added, np.float32(0.0))


def tick_seconds(period: ArrayLike) -> NDArray[np.float64]:
    """Return the seconds of a tick where a beat lasts `period` seconds, 0 where the beat is unknown."""
    seconds = np.asarray(period, dtype=np.float64)
    return np.where(seconds > 0, seconds / BEAT_TICKS, TICK_SECONDS)
