"""The theory encoder: an embedding for each theory part of a phrase.

Each part is reconstructed from its own embedding, and the embeddings of different parts are decorrelated (the
redundancy reduction of Barlow Twins, Zbontar et al. 2021, section 2.1, between parts), so that one part can
be edited while the others stay.
"""

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.theory.features import PARTS
from tatumflow.training.models.tatumflow.config import TatumFlowConfig

_INNER = 96
_EPS = 1e-4


class TheoryEncoder(nn.Module):
    """Embeds the four theory parts; an embedding has mean 0 and variance 1 over its D values."""

    def __init__(self, config: TatumFlowConfig) -> None:
        super().__init__()
        self.dim = config.theory_dim
        self.encoders = nn.ModuleList(_mlp(part.size, self.dim) for part in PARTS)
        self.decoders = nn.ModuleList(_mlp(self.dim, part.size) for part in PARTS)

    def forward(self, features: Tensor) -> Tensor:
        """Return embeddings (..., parts, D) of phrase features (..., NUM_FEATURES)."""
        parts = [
            F.layer_norm(encoder(features[..., part.slice]).float(), (self.dim,))
            for encoder, part in zip(self.encoders, PARTS, strict=True)
        ]
        return torch.stack(parts, dim=-2)

    def predict(self, embeddings: Tensor) -> Tensor:
        """Return the features (..., NUM_FEATURES) reconstructed from embeddings (..., parts, D)."""
        return torch.cat(
            [decoder(embeddings[..., i, :]).float() for i, decoder in enumerate(self.decoders)], dim=-1
        )


def unexplained(predicted: Tensor, features: Tensor, present: Tensor) -> Tensor:
    """Return the share of each part's variance that a prediction leaves unexplained, (parts,).

    Args:
        predicted: (Q, NUM_FEATURES).
        features: The true ones, (Q, NUM_FEATURES).
        present: Which rows count, (Q,) bool.
    """
    weight = present.float()[:, None]
    total = weight.sum().clamp(min=1)
    centred = (features - (features * weight).sum(dim=0) / total) * weight
    error = (predicted - features) * weight
    shares = [
        error[:, part.slice].pow(2).sum() / (centred[:, part.slice].pow(2).sum() + _EPS) for part in PARTS
    ]
    return torch.stack(shares)


def cross_correlation(embeddings: Tensor, present: Tensor) -> Tensor:
    """Return the mean square of the correlations between values of different parts.

    Args:
        embeddings: (Q, parts, D).
        present: Which rows count, (Q,) bool.
    """
    weight = present.float()[:, None, None]
    total = weight.sum().clamp(min=2)
    centred = (embeddings - (embeddings * weight).sum(dim=0) / total) * weight
    scaled = centred * torch.rsqrt(centred.pow(2).sum(dim=0) + _EPS)
    pairs = [scaled[:, a].T @ scaled[:, b] for a, b in combinations(range(len(PARTS)), 2)]
    return torch.stack(pairs).pow(2).mean()


def _mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, _INNER), nn.SiLU(), nn.Linear(_INNER, outputs))
