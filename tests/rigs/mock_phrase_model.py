"""A phrase model small enough to run anywhere: fixed random maps, and a flow with a known end.

Its velocity leads from any x to a point that depends on the style, the phrase before and the requested
theory, so that following it to time 1 arrives there whatever the noise.
"""

import numpy as np

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.model.phrase_model import PhraseShape
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS

LATENT, THEORY = 2, 1


class MockPhraseModel:
    """Implements `tatumflow.engine.model.phrase_model.PhraseModel` with conditions of 6 values.

    Attributes:
        requested: The requested theory of the flow's last call.
        before: The phrase before of the flow's last call.
        calls: How often the flow was evaluated.
    """

    def __init__(self, num_styles: int = 3, *, relative: bool = False) -> None:
        rng = np.random.default_rng(4)
        self._shape = PhraseShape(LATENT, THEORY, 16, num_styles, relative)
        self._tables = rng.normal(size=(4, LATENT))
        self._parts = [rng.normal(size=(part.size, THEORY)) for part in PARTS]
        self._styles = rng.normal(size=(num_styles, self._shape.code_dim))
        self.requested: Floats | None = None
        self.before: Floats | None = None
        self.calls = 0

    @property
    def shape(self) -> PhraseShape:
        return self._shape

    def encode(self, fields: Ints) -> Floats:
        assert fields.shape[1:] == (4,)
        assert 1 <= len(fields) <= self._shape.phrase_len
        return (fields.mean(axis=0) @ self._tables / 50).astype(np.float32)

    def embed_theory(self, features: Floats) -> Floats:
        assert features.shape == (NUM_FEATURES,)
        rows = [features[part.slice] @ table for part, table in zip(PARTS, self._parts, strict=True)]
        return np.stack(rows).astype(np.float32)

    def velocity(self, x: Floats, time: float, style: Floats, before: Floats, requested: Floats) -> Floats:
        self.calls += 1
        self.requested, self.before = requested, before
        end = style @ self._styles + 0.5 * before[:-1]
        end[LATENT:] += requested[: len(PARTS) * THEORY]
        return ((end - x) / max(1 - time, 1e-6)).astype(np.float32)
