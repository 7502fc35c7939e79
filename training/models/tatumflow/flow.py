"""The latent flow: a flow-matching model of the next phrase's code.

A network learns the velocity of straight paths from noise to data (Lipman et al. 2023, "Flow Matching for
Generative Modeling", section 4.1, sigma_min 0), conditioned on the phrase before, the style and the requested
theory parts. Its blocks are modulated as in DiT (Peebles and Xie 2022, section 3.2, adaLN-Zero).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.theory.features import PARTS
from tatumflow.training.models.tatumflow.config import TatumFlowConfig

_FREQUENCIES = 32
_FASTEST = 1000.0


class _Block(nn.Module):
    """A residual block of two layers, modulated and gated by the condition."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(dim, 3 * dim)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (..., dim) to (..., dim) under a condition (..., dim)."""
        scale, shift, gate = self.modulation(condition).chunk(3, dim=-1)
        y = F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift
        return x + gate * self.down(F.silu(self.up(y)))


class LatentFlow(nn.Module):
    """Velocity of a phrase's code on the path from noise at time 0 to data at time 1.

    Shapes: L width of the code, P theory parts, D width of a theory embedding, S styles.
    """

    def __init__(self, config: TatumFlowConfig) -> None:
        super().__init__()
        self.config = config
        dim, width = config.flow_dim, config.code_dim
        theory = len(PARTS) * config.theory_dim
        self.style = nn.Embedding(config.num_styles, dim)
        self.before = nn.Linear(width + 1, dim)
        # Checkpoints and bundles hold the weights of the requested theory under this name.
        self.asked = nn.Linear(theory + len(PARTS), dim)
        self.time = nn.Sequential(nn.Linear(2 * _FREQUENCIES, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.mix = nn.Linear(dim, dim)
        self.enter = nn.Linear(width, dim)
        self.blocks = nn.ModuleList(_Block(dim) for _ in range(config.flow_layers))
        self.leave = nn.Linear(dim, width)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, time: Tensor, style: Tensor, before: Tensor, requested: Tensor) -> Tensor:
        """Return the velocity.

        Args:
            x: Code at `time`, (Q, L).
            time: 0 to 1, (Q,).
            style: Weights over the style table, (Q, S).
            before: Code of the phrase before and a 1, or all zeros where there is none, (Q, L + 1).
            requested: Requested theory embeddings, zeros for the other parts, then for each part 1 if it is
                requested, else 0, (Q, P * D + P).

        Returns:
            Velocity, (Q, L).
        """
        frequency = torch.exp(
            torch.arange(_FREQUENCIES, device=x.device) * (math.log(_FASTEST) / (_FREQUENCIES - 1))
        )
        angle = time[:, None] * frequency
        clock = self.time(torch.cat([angle.cos(), angle.sin()], dim=-1))
        styles = torch.matmul(style, self.style.weight)
        condition = F.silu(self.mix(F.silu(clock + styles + self.before(before) + self.asked(requested))))
        y = self.enter(x)
        for block in self.blocks:
            y = block(y, condition)
        return self.leave(F.layer_norm(y, y.shape[-1:]))
