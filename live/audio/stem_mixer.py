"""Mixing stems by hand: mute, solo and gain, without a click."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError

LEAST_GAIN_DB: Final = -60.0
MOST_GAIN_DB: Final = 12.0

_FULL_TURN_SECONDS: Final = 0.02
"""How long a gain takes from 0 to 1."""


@dataclass(frozen=True, slots=True)
class StemMix:
    """Gain, mute and solo of a stem.

    Attributes:
        gain_db: -60 to 12 dB.
        muted: Whether it is silent.
        soloed: Whether only it, and other soloed stems, are audible.

    Raises:
        SettingError: if the gain is outside its range.
    """

    gain_db: float = 0.0
    muted: bool = False
    soloed: bool = False

    def __post_init__(self) -> None:
        if not LEAST_GAIN_DB <= self.gain_db <= MOST_GAIN_DB:
            raise SettingError(
                f"stem gain {self.gain_db:g} dB is outside {LEAST_GAIN_DB:g} to {MOST_GAIN_DB:g} dB"
            )


def factors(mixes: tuple[StemMix, ...]) -> NDArray[np.float32]:
    """Return what each stem is multiplied by, (s,): mute wins over solo, as on a desk."""
    solo = any(mix.soloed for mix in mixes)
    return np.array(
        [0.0 if mix.muted or (solo and not mix.soloed) else 10 ** (mix.gain_db / 20) for mix in mixes],
        dtype=np.float32,
    )


class StemMixer:
    """Sums stems that arrive in pieces; `mixes` may be set by any thread at any time.

    A factor moves along a straight line to its new value, 20 ms for a turn from silence to full.
    """

    def __init__(self, stems: int, rate: int) -> None:
        """Begin with so many stems unchanged, at `rate` samples a second."""
        self.mixes: tuple[StemMix, ...] = (StemMix(),) * stems
        self._step = 1 / (_FULL_TURN_SECONDS * rate)
        self._factors = factors(self.mixes)

    def mix(self, stems: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sum, (2, n), of stems, (s, 2, n), n >= 0."""
        aims = factors(self.mixes)
        if np.array_equal(aims, self._factors):
            return np.einsum("s,scn->cn", aims, stems)
        reach = self._step * np.arange(1, stems.shape[-1] + 1, dtype=np.float32)
        moved = np.clip((aims - self._factors)[:, None], -reach, reach)
        curves = self._factors[:, None] + moved
        if stems.shape[-1]:
            # Sums of floats may miss the aim by a bit, and would then never count as arrived.
            self._factors = np.where(np.abs(aims - curves[:, -1]) < self._step / 2, aims, curves[:, -1])
        return np.einsum("sn,scn->cn", curves.astype(np.float32), stems)
