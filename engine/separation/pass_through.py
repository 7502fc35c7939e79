"""The separator of a single source: the whole input as one stem."""

from typing import Final

from tatumflow.engine.separation.stems import Stem, StemSet
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.engine.separation.streaming import Planes

WHOLE_INPUT: Final = "input"
"""Name of the stem."""


class PassThrough:
    """A `streaming.BlockModel` that returns its input, 64 samples later."""

    stems = StemSet((Stem(WHOLE_INPUT, (WHOLE_INPUT,)),))
    rate = 48_000
    transform = StftSettings(64, 32)
    block = 1
    most = 1024

    def reset(self) -> None:
        """Do nothing: there is no state."""

    def separate(self, planes: Planes) -> Planes:
        """Return the planes, (4, bins, frames)."""
        return planes
