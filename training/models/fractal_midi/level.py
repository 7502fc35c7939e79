"""A level of the recursion: a transformer over the grid of a roll's or patch's tokens.

A masked level ("mar") reads its known tokens in both directions and predicts all others at once. An
autoregressive level ("ar") reads at each place the tokens before it in scan order, never the one that it
predicts; that of rolls reads the known tokens on all sides as a prefix besides.

Shapes: B rolls or patches, R rows and C columns of tokens, N = R C, K prefix tokens, P planes of a token, D
width, T all positions.
"""

from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import Order
from tatumflow.training.models.tatumflow.layers import rotate

_ROTARY_BASE: Final = 1000.0

Angles = tuple[Tensor, Tensor]
"""Cosine and sine of the rotary angles, each (T, D / 2 heads)."""


class Attention(nn.Module):
    """Multi-head self-attention, rotated by the column where angles are given."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(self, x: Tensor, angles: Angles | None, mask: Tensor | None) -> Tensor:
        """Map (B, T, D) to (B, T, D); the mask (T, T) is what each position reads."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        if angles is not None:
            q, k = rotate(q, *angles), rotate(k, *angles)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Self-attention and a feed-forward network, both residual."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_ratio * dim), nn.GELU(), nn.Linear(mlp_ratio * dim, dim))

    def forward(self, x: Tensor, angles: Angles | None, mask: Tensor | None) -> Tensor:
        """Map (B, T, D) to (B, T, D); see `Attention`."""
        x = x + self.attention(self.attention_norm(x), angles, mask)
        return x + self.mlp(self.mlp_norm(x))


class Level(nn.Module):
    """One level, after the prefix that conditions it.

    Args:
        kind: Masked or autoregressive.
        order: Scan order of an autoregressive level.
        dim: Width.
        blocks: Transformer blocks.
        heads: Attention heads.
        mlp_ratio: Inner width of a feed-forward network over the width.
        planes: Planes of a token, P.
        rows: Rows of tokens, R.
        columns: Columns, where their number is fixed; 0 where it is free, for rolls.
        outputs: Logits of a token.
        checkpointing: Whether activations are recomputed.
    """

    def __init__(
        self,
        kind: LevelKind,
        order: Order,
        dim: int,
        blocks: int,
        heads: int,
        mlp_ratio: int,
        planes: int,
        rows: int,
        columns: int,
        outputs: int,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.kind: LevelKind = kind
        self.order: Order = order
        self.rolls = columns == 0
        self.checkpointing = checkpointing
        self.visible = nn.Linear(planes, dim)
        self.row = nn.Parameter(torch.randn(rows, 1, dim) * 0.02)
        self.column = nn.Parameter(torch.randn(1, max(columns, 1), dim) * 0.02)
        if kind == "ar":
            self.done = nn.Linear(planes, dim)
            self.first = nn.Parameter(torch.randn(dim) * 0.02)
        if self._reads_context:
            self.context = nn.Parameter(torch.randn(dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads, mlp_ratio) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, outputs)
        self.angles = dim // heads // 2
        for block in self.blocks:
            for linear in (cast(Block, block).attention.out, cast(Block, block).mlp[2]):
                nn.init.normal_(cast(nn.Linear, linear).weight, std=0.02 / (2 * blocks) ** 0.5)

    @property
    def _reads_context(self) -> bool:
        """Whether the known tokens on all sides are a prefix."""
        return self.kind == "ar" and self.rolls

    def forward(self, prefix: Tensor, visible: Tensor, done: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return states (B, N, D) and logits (B, N, outputs); see `RollLevels`.

        Args:
            prefix: Tokens that condition the level, (B, K, D).
            visible: Planes of the known cells, (B, R, C, P).
            done: Planes of all cells, (B, R, C, P), for an autoregressive level.
        """
        rows, columns = visible.shape[1], visible.shape[2]
        at = self._scanned(
            torch.arange(columns, device=visible.device).expand(rows, columns)[None, ..., None]
        )
        known = self._scanned(self.visible(visible) + self.row + self.column)
        count = known.shape[1]
        parts, places = [prefix], [at.new_zeros(prefix.shape[1])]
        if self._reads_context:
            parts.append(known + self.context)
            places.append(at[0, :, 0])
        if self.kind == "ar":
            assert done is not None
            before = self._scanned(self.done(done))[:, :-1]
            start = self.first.to(before.dtype).expand(before.shape[0], 1, -1)
            known = known + torch.cat([start, before], dim=1)
        parts.append(known)
        places.append(at[0, :, 0])
        lead = sum(part.shape[1] for part in parts[:-1])
        mask = self._mask(lead, count, visible.device) if self.kind == "ar" else None
        x = self._attended(torch.cat(parts, dim=1), torch.cat(places), mask)[:, lead:]
        states = self._unscanned(self.norm(x), rows, columns)
        return states, self.head(states)

    def _attended(self, x: Tensor, places: Tensor, mask: Tensor | None) -> Tensor:
        angles = self._angles(places, x.dtype) if self.rolls else None
        for block in self.blocks:
            if self.checkpointing and self.training:
                x = cast(Tensor, checkpoint(block, x, angles, mask, use_reentrant=False))
            else:
                x = block(x, angles, mask)
        return x

    def _angles(self, columns: Tensor, dtype: torch.dtype) -> Angles:
        """Return the angles of positions in columns (T,): where a roll begins must not matter."""
        exponent = torch.arange(self.angles, device=columns.device, dtype=torch.float32) / self.angles
        angle = columns.to(torch.float32)[:, None] * _ROTARY_BASE**-exponent
        return angle.cos().to(dtype), angle.sin().to(dtype)

    def _scanned(self, x: Tensor) -> Tensor:
        """Return the tokens (B, N, ...) of a grid (B, R, C, ...), scanned for an autoregressive level."""
        if self.kind == "ar" and self.order == "column":
            x = x.transpose(1, 2)
        return x.flatten(1, 2)

    def _unscanned(self, x: Tensor, rows: int, columns: int) -> Tensor:
        """Return the tokens row by row."""
        if self.kind == "ar" and self.order == "column":
            x = x.reshape(x.shape[0], columns, rows, x.shape[-1]).transpose(1, 2).flatten(1, 2)
        return x

    @staticmethod
    def _mask(lead: int, count: int, device: torch.device) -> Tensor:
        """Return which positions (T) each position (T) reads: those of the prefix, and earlier tokens."""
        place = torch.arange(lead + count, device=device)
        return (place < lead)[None, :] | ((place[None, :] <= place[:, None]) & (place >= lead)[:, None])
