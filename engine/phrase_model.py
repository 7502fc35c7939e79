"""What the engine asks of the part of a model that knows whole phrases: its latents, theory and flow."""

from dataclasses import dataclass
from typing import Protocol

from tatumflow.engine.decoder import Floats, Ints
from tatumflow.engine.theory.features import PARTS


@dataclass(frozen=True)
class PhraseShape:
    """Sizes of a phrase model.

    Attributes:
        latent_dim: Width of the latent of a phrase, Z.
        theory_dim: Width of the embedding of a part of theory, D.
        phrase_len: Most notes that a phrase is encoded from.
        num_styles: Rows of the style table, S.
    """

    latent_dim: int
    theory_dim: int
    phrase_len: int
    num_styles: int

    @property
    def condition_dim(self) -> int:
        """Width of a phrase condition, P: the latent, then the embeddings of the parts of theory."""
        return self.latent_dim + len(PARTS) * self.theory_dim


class PhraseModel(Protocol):
    """Encoders of phrases, and the flow that draws the next phrase's condition."""

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

    def velocity(self, x: Floats, time: float, style: Floats, before: Floats, asked: Floats) -> Floats:
        """Return the flow's velocity (P,).

        Args:
            x: The condition on its way from noise to data, (P,).
            time: 0 (noise) to 1 (data).
            style: Weights over the style table, (S,).
            before: Condition of the phrase before and a 1, or zeros, (P + 1,).
            asked: Wanted embeddings of theory, zeros where a part is free, then for each part whether it is
                wanted, (parts * D + parts,).
        """
        ...
