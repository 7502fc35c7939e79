"""Level normalization of a mixture before a model, and of its stems back after it."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError

_QUIETEST: Final = -14
"""Exponent of the least scale, for levels of about -84 dB and below."""

_LOUDEST: Final = 14


@dataclass(frozen=True)
class Normalizer:
    """The scale between signals and the input of a model.

    One factor for mixture and stems, so that stems still sum to the mixture; a power of two, so that the
    inverse is exact to the bit. The root mean square of the model's input is within 3 dB of 1.

    Attributes:
        exponent: The factor is 2 ** exponent, -14 to 14.

    Raises:
        SettingError: if the exponent is outside its range.
    """

    exponent: int = 0

    def __post_init__(self) -> None:
        if not _QUIETEST <= self.exponent <= _LOUDEST:
            raise SettingError(f"normalizer exponent {self.exponent} is not from {_QUIETEST} to {_LOUDEST}")

    @classmethod
    def of(cls, mixture: NDArray[np.float32]) -> "Normalizer":
        """Return the normalizer of a mixture of any shape, by its root mean square; the least for silence."""
        power = float(np.mean(np.square(mixture, dtype=np.float64))) if mixture.size else 0.0
        return cls(exponent_of(power))

    @property
    def scale(self) -> float:
        """The factor by which `normalize` divides."""
        return 2.0**self.exponent

    def normalize(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return signals or spectrograms of any shape at the level of the model's input."""
        return values * np.float32(1 / self.scale)

    def denormalize(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a model's output of any shape at the level of the signal."""
        return values * np.float32(self.scale)


def exponent_of(power: float) -> int:
    """Return the exponent of the power of two nearest to the root of a mean square, within its range."""
    if not math.isfinite(power) or power <= 0:
        return _QUIETEST
    return min(max(round(0.5 * math.log2(power)), _QUIETEST), _LOUDEST)
