"""Mixing of rendered stems, exact in the 16 bits of the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE: Final = 32_767
_FRAME: Final = 4410
_SILENT: Final = 0.003
"""Level below which a frame is silent, as a share of the loudest frame's: 50 dB."""


@dataclass(frozen=True)
class Balance:
    """Level and pan of a stem in the mixture.

    Attributes:
        level_db: Level while it plays, in decibels below full scale, before all are scaled together.
        pan: -1 (left) to 1 (right).
    """

    level_db: float
    pan: float


@dataclass(frozen=True)
class Mix:
    """A mix.

    Attributes:
        stems: Samples of each, (n, 2) int16.
        mixture: Their sum, (n, 2) int16; neither it nor a stem clips.
    """

    stems: Mapping[str, NDArray[np.int16]]
    mixture: NDArray[np.int16]


def mix(stems: Mapping[str, NDArray[np.float32]], balances: Mapping[str, Balance], peak: float) -> Mix:
    """Balance stems, (n, 2) each at any level, by level and pan, and sum them.

    `peak` is the highest sample of mixture and stems, as a share of full scale, 0 to 0.99.
    """
    leveled = {
        name: panned(samples, balances[name].pan)
        * np.float32(10 ** (balances[name].level_db / 20) / (playing_level(samples) or 1.0))
        for name, samples in stems.items()
    }
    total = sum(leveled.values(), start=np.zeros_like(next(iter(leveled.values()))))
    highest = max(float(np.abs(samples).max(initial=0.0)) for samples in (*leveled.values(), total))
    scale = np.float32(peak * _FULL_SCALE / (highest or 1.0))
    # Rounded before the sum, so that the stems sum to the mixture to the last bit.
    rounded = {name: np.rint(samples * scale).astype(np.int16) for name, samples in leveled.items()}
    summed = sum(rounded.values(), start=np.zeros_like(next(iter(rounded.values()))))
    return Mix(rounded, summed)


def playing_level(samples: NDArray[np.float32]) -> float:
    """Return the root mean square over the tenths of a second in which a stem sounds; 0 for silence."""
    frames = len(samples) // _FRAME
    if not frames:
        return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0
    powers = np.square(samples[: frames * _FRAME]).reshape(frames, -1).mean(axis=1, dtype=np.float64)
    loudest = powers.max()
    return float(np.sqrt(powers[powers >= loudest * _SILENT**2].mean())) if loudest > 0 else 0.0


def panned(samples: NDArray[np.float32], pan: float) -> NDArray[np.float32]:
    """Move stereo samples, (n, 2), to a side with constant power; 0 leaves them as they are."""
    angle = (pan + 1) * np.pi / 4
    gains = np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])
    return samples * gains.astype(np.float32)
