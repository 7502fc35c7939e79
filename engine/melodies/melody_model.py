"""The interface of models of melodies: to latents and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.melodies.melody import Melody


@dataclass(frozen=True)
class Posterior:
    """Normal distributions of the latents of n melodies.

    Attributes:
        mean: (n, latent_dim) float32.
        deviation: (n, latent_dim) float32.
    """

    mean: Floats
    deviation: Floats


class MelodyModel(Protocol):
    """Encodes and decodes melodies of one length."""

    @property
    def bars(self) -> int:
        """Return the bars of a melody."""
        ...

    def encode(self, melodies: Sequence[Melody]) -> Posterior:
        """Return the posterior of melodies of the model's length."""
        ...

    def decode(
        self, latents: Floats, temperature: float = 0.0, rng: np.random.Generator | None = None
    ) -> list[Melody]:
        """Decode latents (n, latent_dim); `temperature` 0 takes the likeliest events."""
        ...
