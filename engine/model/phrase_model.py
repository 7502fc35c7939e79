"""The phrase model as a protocol: encoders of latents and theory, and the flow between phrases."""

from dataclasses import dataclass
from typing import Protocol

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.theory.features import PARTS
from tatumflow.engine.theory.key import PITCH_CLASSES


@dataclass(frozen=True)
class PhraseShape:
    """Sizes of a phrase model.

    Attributes:
        latent_dim: Width of the latent of a phrase, Z.
        theory_dim: Width of the embedding of a part of theory, D.
        phrase_len: Most notes from which a phrase is encoded.
        num_styles: Rows of the style table, S.
        relative: Whether phrases are encoded relative to the key of the moment, as if they were in C; the
            decoder is then conditioned on the key too.
    """

    latent_dim: int
    theory_dim: int
    phrase_len: int
    num_styles: int
    relative: bool = False

    @property
    def code_dim(self) -> int:
        """Width of a phrase's code, P: the latent, then the embeddings of the parts of theory."""
        return self.latent_dim + len(PARTS) * self.theory_dim

    @property
    def condition_dim(self) -> int:
        """Width of a phrase condition: the code, and if relative the key, one of twelve."""
        return self.code_dim + (PITCH_CLASSES if self.relative else 0)


class PhraseModel(Protocol):
    """Encoders of phrases, and the flow that the next phrase's code is sampled with."""

    @property
    def shape(self) -> PhraseShape:
        """Return the sizes of the model."""
        ...

    def encode(self, fields: Ints) -> Floats:
        """Return the mean latent (Z,) of a phrase of notes with input indices (n, 4), 1 to `phrase_len`."""
        ...

    def embed_theory(self, features: Floats) -> Floats:
        """Return the embeddings (parts, D) of a phrase's features (NUM_FEATURES,)."""
        ...

    def velocity(self, x: Floats, time: float, style: Floats, before: Floats, requested: Floats) -> Floats:
        """Return the flow's velocity (P,), P the width of a code.

        Args:
            x: The code between noise and data, (P,).
            time: 0 (noise) to 1 (data).
            style: Weights over the style table, (S,).
            before: Code of the phrase before and a 1, or zeros for none, (P + 1,).
            requested: Requested embeddings of theory, zeros where a part is free, then for each part 1 if it
                is requested and 0 if not, (parts * D + parts,).
        """
        ...
