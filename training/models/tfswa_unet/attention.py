"""Attention over time, over frequency, and in windows shifted along frequency, as one operation.

A frame attends to the frames up to `look_back - 1` before it and `look_ahead` after it, and a position to the
others of its group. Time attention spans many frames in groups of one position; frequency attention one frame
in a group of all positions; window attention a few frames in groups of a few positions, which every second
layer shifts by half a group (Liu et al., "Swin Transformer", 2021).

Along time a window slides with its frame, where Swin's lie on a grid: the window does not depend on where an
excerpt began, a stream needs no phase, and a causal window has the same length for each frame.

Shapes: B batch, T frames, P positions, C channels, H heads, D channels of a head, G groups of g positions, S
frames of the attention window, c frames of a chunk that are scored together, n chunks.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.training.models.tfswa_unet.history import History

_MASKED: Final = -1e4
"""Added to masked scores; finite, so that a row of masked scores alone stays finite too."""


class LocalAttention(nn.Module):
    """Attention to near frames in groups of positions, with a learned relative position bias."""

    def __init__(
        self, channels: int, heads: int, group: int, look_back: int, look_ahead: int, shifted: bool = False
    ) -> None:
        """Build the layer.

        Args:
            channels: Channels, a multiple of `heads`.
            heads: Attention heads.
            group: Positions that attend to each other; divides the number of positions.
            look_back: Frames attended to, the present one included, at least 1.
            look_ahead: Later frames attended to.
            shifted: Whether groups are shifted up by half a group; the lowest and the highest half then share
                a group, and are masked from each other.
        """
        super().__init__()
        self.heads, self.group = heads, group
        self.back, self.ahead = look_back - 1, look_ahead
        self.shift = group // 2 if shifted else 0
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.distance = nn.Parameter(torch.zeros(heads, self.span, 2 * group - 1))

    @property
    def span(self) -> int:
        """Frames of the attention window, S."""
        return self.back + 1 + self.ahead

    def forward(self, x: Tensor, history: History) -> Tensor:
        """Map (B, T, P, C) to (B, T, P, C)."""
        frames, channels = x.shape[1], x.shape[3]
        q, kv = self.qkv(x).split([channels, 2 * channels], dim=-1)
        if self.shift:
            q, kv = q.roll(-self.shift, dims=2), kv.roll(-self.shift, dims=2)
        seen = history.extend(x.new_ones(x.shape[0], frames, 1), self.back, self.ahead)
        kv = history.extend(kv, self.back, self.ahead)
        chunk = min(frames, self.span)
        missing = -frames % chunk
        q, kv = F.pad(q, (0, 0, 0, 0, 0, missing)), F.pad(kv, (0, 0, 0, 0, 0, missing))
        k, v = self._keys(kv, chunk).unbind(0)
        scores = self._queries(q, chunk) @ k.transpose(-1, -2) + self._bias(chunk)
        if self.shift:
            scores = scores + self._wrapped(chunk, x.shape[2])
        if self.span > 1:
            visible = _chunks(F.pad(seen, (0, 0, 0, missing))[..., 0], chunk + self.span - 1, chunk)
            hidden = (1 - visible.repeat_interleave(self.group, dim=-1)) * _MASKED
            scores = scores + hidden[:, :, None, None, None]
        y = scores.softmax(dim=-1).to(v.dtype) @ v
        y = y.unflatten(4, (chunk, self.group)).permute(0, 1, 4, 2, 5, 3, 6)
        y = y.flatten(5).flatten(3, 4).flatten(1, 2)[:, :frames]
        return self.out(y.roll(self.shift, dims=2) if self.shift else y)

    def _queries(self, q: Tensor, chunk: int) -> Tensor:
        """Return queries (B, n, G, H, c g, D) of (B, n c, P, C)."""
        q = q.unflatten(3, (self.heads, -1)).unflatten(2, (-1, self.group)).unflatten(1, (-1, chunk))
        return q.permute(0, 1, 3, 5, 2, 4, 6).flatten(4, 5) * q.shape[-1] ** -0.5

    def _keys(self, kv: Tensor, chunk: int) -> Tensor:
        """Return keys and values (2, B, n, G, H, (c + S - 1) g, D) of (B, n c + S - 1, P, 2 C)."""
        kv = _chunks(kv, chunk + self.span - 1, chunk)
        kv = kv.unflatten(3, (2, self.heads, -1)).unflatten(2, (-1, self.group))
        return kv.permute(4, 0, 1, 2, 5, 7, 3, 6).flatten(5, 6)

    def _bias(self, chunk: int) -> Tensor:
        """Return the relative position bias, (H, c g, (c + S - 1) g): `_MASKED` beyond the span."""
        device = self.distance.device
        keys, queries = torch.arange(chunk + self.span - 1, device=device), torch.arange(chunk, device=device)
        steps = keys - queries[:, None]
        places = torch.arange(self.group, device=device)
        across = places - places[:, None] + self.group - 1
        known = self.distance[:, steps.clamp(0, self.span - 1)[:, None, :, None], across[:, None]]
        outside = ((steps < 0) | (steps >= self.span)).to(known.dtype) * _MASKED
        return (known + outside[:, None, :, None]).flatten(3, 4).flatten(1, 2)

    def _wrapped(self, chunk: int, positions: int) -> Tensor:
        """Return the mask between the two ends of the spectrum, (G, 1, c g, (c + S - 1) g)."""
        upper = torch.arange(self.group, device=self.distance.device) >= self.group - self.shift
        apart = (upper[:, None] != upper).to(self.distance.dtype) * _MASKED
        apart = apart.repeat(chunk, chunk + self.span - 1)
        return F.pad(apart[None, None], (0, 0, 0, 0, 0, 0, positions // self.group - 1, 0))


def _chunks(x: Tensor, size: int, step: int) -> Tensor:
    """Return chunks of x (B, T, ...), one every `step` frames: (B, n, ..., size), size below 2 step."""
    if x.shape[1] == size:
        return x.movedim(1, -1)[:, None]
    steps = F.pad(x, (0, 0) * (x.dim() - 2) + (0, -x.shape[1] % step)).unflatten(1, (-1, step))
    if size > step:
        # The same as `unfold`, whose gradient is slow.
        steps = torch.cat([steps[:, :-1], steps[:, 1:, : size - step]], dim=2)
    return steps.movedim(2, -1)


class AttentionLayer(nn.Module):
    """A residual attention layer."""

    def __init__(self, channels: int, attention: LocalAttention) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = attention

    def forward(self, x: Tensor, history: History) -> Tensor:
        """Map (B, T, P, C) to (B, T, P, C)."""
        return x + self.attention(self.norm(x), history)


class FeedForward(nn.Module):
    """A residual feed-forward network of two linear layers."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, inner), nn.SiLU(), nn.Linear(inner, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        return x + self.mlp(self.norm(x))


class TfswaModule(nn.Module):
    """Time attention, frequency attention, window and shifted-window attention with a network each."""

    def __init__(
        self,
        channels: int,
        heads: int,
        positions: int,
        look_back: int,
        window: tuple[int, int],
        mlp_ratio: int,
        causal: bool,
    ) -> None:
        super().__init__()
        frames, group = window
        back, ahead = (frames, 0) if causal else (frames - frames // 2, frames // 2)
        inner = mlp_ratio * channels

        def layer(group: int, back: int, ahead: int, shifted: bool = False) -> AttentionLayer:
            return AttentionLayer(
                channels, LocalAttention(channels, heads, group, back, ahead, shifted=shifted)
            )

        self.time = layer(1, look_back, 0 if causal else look_back - 1)
        self.frequency = layer(positions, 1, 0)
        self.window = layer(group, back, ahead)
        self.window_mlp = FeedForward(channels, inner)
        self.shifted = layer(group, back, ahead, shifted=True)
        self.shifted_mlp = FeedForward(channels, inner)

    def forward(self, x: Tensor, history: History) -> Tensor:
        """Map (B, T, P, C) to (B, T, P, C)."""
        x = self.frequency(self.time(x, history), history)
        x = self.window_mlp(self.window(x, history))
        return self.shifted_mlp(self.shifted(x, history))
