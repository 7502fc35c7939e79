"""How a sampler decides between the values that a model predicts."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.rolls.patches import Floats


@dataclass(frozen=True)
class Decision:
    """What n decisions are about.

    Attributes:
        kind: Whether a note sounds in a token, a cell's state, or an onset's velocity.
        level: The level.
        places: The patches, as `Decider.enter` numbered them; of level 0, the rolls, (n,).
        token: The tokens in them, (n,).
    """

    kind: Literal["sounds", "state", "velocity"]
    level: int
    places: Ints
    token: Ints


class Decider(Protocol):
    """Decides between values."""

    def decide(self, logits: Floats, about: Decision) -> NDArray[np.int64]:
        """Return the chosen indices, (n,), of logits (n, K)."""
        ...

    def enter(self, level: int, places: Ints, token: Ints) -> Ints:
        """Return numbers for the patches of tokens that the sampler goes down into, (n,)."""
        ...


class Draw:
    """Draws from the predicted distributions."""

    def __init__(self, temperature: float, rng: np.random.Generator) -> None:
        """Draw at a temperature, 0 for the likeliest."""
        self._temperature = temperature
        self._rng = rng

    def decide(self, logits: Floats, about: Decision) -> NDArray[np.int64]:
        """Return drawn indices."""
        if self._temperature == 0:
            return logits.argmax(axis=-1)
        # The greatest of logits with Gumbel noise is a draw from their softmax.
        noise = self._rng.gumbel(size=logits.shape)
        return (logits / self._temperature + noise).argmax(axis=-1)

    def enter(self, level: int, places: Ints, token: Ints) -> Ints:
        """Return zeros: a draw needs no places."""
        return np.zeros(len(token), np.int64)
