"""What the engine asks of the part of a model that knows whole phrases: its latents, theory and flow."""

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
        phrase_len: Most notes that a phrase is encoded from.
        num_styles: Rows of the style table, S.
        relative: Whether phrases are encoded relative to the key of the moment, as if they were in C, and the
            decoder is told the key beside their code.
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
        """Width of what the decoder is told of a phrase: its code, and if relative its key, one of twelve."""
        return self.code_dim + (PITCH_CLASSES if self.relative else 0)


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
        """Return the flow's velocity (P,), P the width of a code.

        Args:
            x: The code on its way from noise to data, (P,).
            time: 0 (noise) to 1 (data).
            style: Weights over the style table, (S,).
            before: Code of the phrase before and a 1, or zeros, (P + 1,).
            asked: Wanted embeddings of theory, zeros where a part is free, then for each part whether it is
                wanted, (parts * D + parts,).
        """
        ...
