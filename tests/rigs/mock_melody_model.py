"""A model of melodies without weights: latents are events, decoded an octave higher."""

from collections.abc import Sequence

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.melodies.melody import FIRST_PITCH, NUM_EVENTS, Melody
from tatumflow.engine.melodies.melody_model import Posterior

OCTAVE = 12


class MockMelodyModel:
    """Counts its calls."""

    def __init__(self, bars: int = 2) -> None:
        self.bars = bars
        self.encoded: list[Melody] = []
        self.decoded = 0

    def encode(self, melodies: Sequence[Melody]) -> Posterior:
        self.encoded += melodies
        mean = np.stack([melody.array for melody in melodies]).astype(np.float32)
        return Posterior(mean, np.ones_like(mean))

    def decode(
        self, latents: Floats, temperature: float = 0.0, rng: np.random.Generator | None = None
    ) -> list[Melody]:
        self.decoded += 1
        events = np.clip(np.rint(latents), 0, NUM_EVENTS - 1).astype(int)
        higher = np.where(events >= FIRST_PITCH, np.minimum(events + OCTAVE, NUM_EVENTS - 1), events)
        return [Melody(tuple(row)) for row in higher.tolist()]
