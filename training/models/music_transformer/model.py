"""The Music Transformer (Huang et al. 2018): a causal transformer with relative attention over flat tokens.

Relative global attention, with distance embeddings learned separately for each head (section 3.3) whose
scores are aligned with their keys by skewing (section 3.4), and feed-forward networks with a ReLU (section
3.2). The paper leaves the place of the normalizations open; here each precedes its sublayer, which trains
without a long warm-up (Xiong et al. 2020). There are no absolute positions: the order follows from the
distances, so that a stream has no end.

A step's four fields are four tokens of one vocabulary, input-only values included, with embeddings of role
and style added to each. A field of the next note is predicted from the token before it, so its earlier fields
are inputs. These equal the targets but for unknown velocities: the input is absent, the target random, and
the duration learns nothing from either.

Shapes: B batch, T steps, L = 4 T tokens, H hidden_dim, N heads, D head_dim, W max_tokens; n new tokens that
attend to K tokens, themselves included.
"""

from itertools import accumulate
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.training.data.batches import Batch
from tatumflow.training.models.music_transformer.cache import TokenCache
from tatumflow.training.models.music_transformer.config import MusicTransformerConfig

NUM_ROLES = 2

_QUERIES: Final = 256
"""Queries of a block; their scores are computed for keys up to the last of them."""


def skew(relative: Tensor) -> Tensor:
    """Align scores by distance with their keys (section 3.4, "skewing").

    Args:
        relative: (..., n, K), for the last n of K tokens; column c is the distance K - 1 - c.

    Returns:
        (..., n, K), where column j is key j; meaningless for keys after the token.
    """
    tokens, keys = relative.shape[-2:]
    padded = F.pad(relative, (1, 0)).flatten(-2)
    return padded[..., tokens:].unflatten(-1, (tokens, keys))


def visible_keys(tokens: int, keys: int, window: int, device: torch.device | None = None) -> Tensor:
    """Return the attention mask of the last n of K tokens: its own and `window` - 1 before, (n, K) bool."""
    visible = torch.ones(tokens, keys, dtype=torch.bool, device=device)
    return visible.tril(keys - tokens).triu(keys - tokens - window + 1)


class RelativeAttention(nn.Module):
    """Causal attention with scores by content and by distance."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.heads, self.head_dim = config.num_heads, config.head_dim
        self.qkv = nn.Linear(config.hidden_dim, 3 * config.hidden_dim, bias=False)
        self.out = nn.Linear(config.hidden_dim, config.hidden_dim, bias=False)
        # Row r is the distance W - 1 - r, as in the paper.
        self.distance = nn.Parameter(torch.zeros(self.heads, config.max_tokens, self.head_dim))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (B, N, n, D), of x (B, n, H)."""
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        return q, k, v

    def attend(self, q: Tensor, k: Tensor, v: Tensor, visible: Tensor) -> Tensor:
        """Return the attention output of the last n of K tokens, (B, n, H).

        Args:
            q: Queries, (B, N, n, D).
            k: Keys, (B, N, K, D).
            v: Values, (B, N, K, D).
            visible: Attention mask, (n, K) bool.
        """
        q = q * self.head_dim**-0.5
        scores = q @ k.transpose(-1, -2) + skew(q @ self._distances(k.shape[-2]).transpose(-1, -2))
        weight = scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
        return self.out((weight @ v).transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """Attend within x (B, L, H) under the attention mask `visible` (L, L)."""
        q, k, v = self.project(x)
        stops = [min(start + _QUERIES, x.shape[1]) for start in range(0, x.shape[1], _QUERIES)]
        parts = [
            self.attend(part, k[:, :, :stop], v[:, :, :stop], visible[stop - part.shape[2] : stop, :stop])
            for part, stop in zip(q.split(_QUERIES, dim=2), stops, strict=True)
        ]
        return torch.cat(parts, dim=1)

    def _distances(self, keys: int) -> Tensor:
        """Return embeddings (N, K, D) of the distances K - 1 to 0, clipped at the table's greatest."""
        beyond = keys - self.distance.shape[1]
        if beyond <= 0:
            return self.distance[:, -beyond:]
        return torch.cat([self.distance[:, :1].expand(-1, beyond, -1), self.distance], dim=1)


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, dim: int, inner: int) -> None:
        super().__init__()
        self.up = nn.Linear(dim, inner)
        self.down = nn.Linear(inner, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dim) to (..., dim)."""
        return self.down(F.relu(self.up(x)))


class Block(nn.Module):
    """One transformer block: relative attention, then a feed-forward network."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.hidden_dim)
        self.attention = RelativeAttention(config)
        self.norm_mlp = nn.LayerNorm(config.hidden_dim)
        self.mlp = FeedForward(config.hidden_dim, config.mlp_dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """Map (B, L, H) to (B, L, H)."""
        x = x + self.dropout(self.attention(self.norm_attention(x), visible))
        return x + self.dropout(self.mlp(self.norm_mlp(x)))

    def forward_cached(self, x: Tensor, visible: Tensor, layer: int, cache: TokenCache) -> Tensor:
        """Like `forward`, for the next n tokens (1, n, H) of a stream with its past in `cache`."""
        q, k, v = self.attention.project(self.norm_attention(x))
        k, v = cache.extend(layer, k[0], v[0])
        x = x + self.attention.attend(q, k[None], v[None], visible)
        return x + self.mlp(self.norm_mlp(x))


class MusicTransformer(nn.Module):
    """Blocks over tokens, and an output matrix for each field."""

    def __init__(self, config: MusicTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self._offsets = tuple(accumulate(INPUT_SIZES, initial=0))[: len(FIELDS)]
        self.token_embedding = nn.Embedding(sum(INPUT_SIZES), config.hidden_dim)
        self.role_embedding = nn.Embedding(NUM_ROLES, config.hidden_dim)
        self.style_embedding = nn.Embedding(config.num_styles, config.hidden_dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(config.hidden_dim)
        self.heads = nn.ModuleList(nn.Linear(config.hidden_dim, size, bias=False) for size in FIELD_SIZES)
        self.apply(self._initialize)
        residual_std = 0.02 / (2 * config.num_layers) ** 0.5
        for block in self.blocks:
            assert isinstance(block, Block)
            nn.init.normal_(block.attention.distance, std=0.02)
            nn.init.normal_(block.attention.out.weight, std=residual_std)
            nn.init.normal_(block.mlp.down.weight, std=residual_std)

    @staticmethod
    def _initialize(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def embed(self, fields: Tensor, role: Tensor, style: Tensor) -> Tensor:
        """Return embedded tokens (..., n, H): a step's first n fields (..., n), its role and style (...)."""
        tokens = fields + torch.tensor(self._offsets[: fields.shape[-1]], device=fields.device)
        condition = self.role_embedding(role) + self.style_embedding(style)
        return self.token_embedding(tokens) + condition[..., None, :]

    def forward(self, batch: Batch) -> Tensor:
        """Run over whole windows.

        Args:
            batch: Windows of T steps; only fields, roles and styles are read.

        Returns:
            States, (B, T, 4, H), one for each field of the note after each step. A field's state has read
            that note's earlier fields; those of the last step, which lie outside the window, are 0.
        """
        x = self.embed(batch.fields, batch.role, batch.style).flatten(1, 2)
        tokens = x.shape[1]
        visible = visible_keys(tokens, tokens, self.config.max_tokens, x.device)
        for block in self.blocks:
            x = block(x, visible)
        known = len(FIELDS) - 1
        return F.pad(self.norm(x)[:, known:], (0, 0, 0, known)).unflatten(1, (-1, len(FIELDS)))

    def forward_cached(self, x: Tensor, cache: TokenCache) -> Tensor:
        """Run over the next tokens of one stream.

        Args:
            x: Embedded tokens, (n, H), n at most W; see `embed`.
            cache: Past of the stream; the tokens are added to it.

        Returns:
            The state after each token, (n, H).
        """
        keys = cache.make_room(len(x))
        visible = visible_keys(len(x), keys, self.config.max_tokens, x.device)
        y = x[None]
        for layer, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            y = block.forward_cached(y, visible, layer, cache)
        return self.norm(y)[0]

    def next_logits(self, field: int, state: Tensor) -> Tensor:
        """Return the logits (..., size) of one field from the state (..., H) after the token before it."""
        return self.heads[field](state)

    def field_logits(self, states: Tensor, batch: Batch) -> list[Tensor]:
        """Return each field's logits (B, T, size) from states (B, T, 4, H); see `forward`."""
        return [self.next_logits(i, states[..., i, :]) for i in range(len(FIELDS))]
