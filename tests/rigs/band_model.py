"""A model of two stems, what lies below and above one frequency, that can be made to fail."""

from typing import Literal

import numpy as np

from tatumflow.engine.separation.stems import Stem, StemSet
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.engine.separation.streaming import Planes


class BandModel:
    """A `BlockModel`; its stems sum to the mixture."""

    stems = StemSet((Stem("low", ("low",)), Stem("high", ("high",))))

    def __init__(
        self, rate: int = 8000, transform: StftSettings | None = None, block: int = 2, cut: float = 1000.0
    ) -> None:
        self.rate = rate
        self.transform = transform or StftSettings(256, 64)
        self.block = block
        self.most = 4
        self.fault: Literal["", "nan", "error"] = ""
        self.resets = 0
        self._low = (np.arange(self.transform.bins) * rate / self.transform.window < cut)[None, :, None]

    def reset(self) -> None:
        self.resets += 1

    def separate(self, planes: Planes) -> Planes:
        if self.fault == "error":
            raise RuntimeError("out of memory")
        low = np.where(self._low, planes, np.float32(0))
        high = planes - low
        out = np.concatenate([low[:2], high[:2], low[2:], high[2:]])
        return np.full_like(out, np.nan) if self.fault == "nan" else out
