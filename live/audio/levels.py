"""Peak and RMS level of a signal, as a meter shows it."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FLOOR_DB: Final = -120.0
"""Reading of silence, dB of full scale."""

_FALL_DB_PER_SECOND: Final = 20.0
_RMS_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Level:
    """A meter's reading, in amplitude: 1 is full scale.

    Attributes:
        peak: Of the last moments, falling 20 dB a second.
        rms: Root mean square of both sides, over about 0.3 s.
    """

    peak: float = 0.0
    rms: float = 0.0


def decibels(amplitude: float) -> float:
    """Return an amplitude in dB of full scale, no less than `FLOOR_DB`."""
    return max(20 * math.log10(amplitude), FLOOR_DB) if amplitude > 0 else FLOOR_DB


class LevelMeter:
    """Reads the level of a signal that arrives in pieces."""

    def __init__(self, rate: int) -> None:
        """Begin in silence, at so many samples a second."""
        self._rate = rate
        self._peak = 0.0
        self._power = 0.0

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take samples of any shape whose last axis is time."""
        count = samples.shape[-1]
        if not count:
            return
        seconds = count / self._rate
        fallen = self._peak * 10 ** (-_FALL_DB_PER_SECOND * seconds / 20)
        self._peak = max(float(np.abs(samples).max()), fallen)
        power = float(np.mean(np.square(samples)))
        self._power += (1 - math.exp(-seconds / _RMS_SECONDS)) * (power - self._power)

    @property
    def level(self) -> Level:
        """Return the present reading."""
        return Level(self._peak, math.sqrt(self._power))
