"""The key-value cache of one stream of tokens."""

import torch
from torch import Tensor

from tatumflow.training.models.music_transformer.config import MusicTransformerConfig


class TokenCache:
    """Keys and values of the last tokens of a stream, oldest first.

    Rows are appended to a buffer of twice the window; when it is full, the last ones are copied to its front,
    once in a window's length.

    Shapes: N heads, D head_dim, W max_tokens, n new tokens, K tokens attended to.
    """

    def __init__(self, config: MusicTransformerConfig) -> None:
        self._window = config.max_tokens
        size = (config.num_layers, config.num_heads, 2 * self._window, config.head_dim)
        self._keys, self._values = torch.zeros(size), torch.zeros(size)
        self._stop = 0
        self._new = 0

    def make_room(self, tokens: int) -> int:
        """Reserve rows for n tokens; `extend` then fills them layer by layer.

        Returns:
            K, the number of tokens attended to: the new ones and at most W - 1 before them.

        Raises:
            ValueError: if n is 0 or more than the window.
        """
        if not 1 <= tokens <= self._window:
            raise ValueError(f"{tokens} tokens at once; allowed: 1 to {self._window}")
        kept = min(self._stop, self._window - 1)
        if self._stop + tokens > self._keys.shape[2]:
            for rows in (self._keys, self._values):
                rows[:, :, :kept] = rows[:, :, self._stop - kept : self._stop].clone()
            self._stop = kept
        self._stop += tokens
        self._new = tokens
        return kept + tokens

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the new rows of a layer, each (N, n, D); return the rows attended to, each (N, K, D)."""
        new = slice(self._stop - self._new, self._stop)
        self._keys[layer, :, new], self._values[layer, :, new] = key, value
        seen = slice(max(new.start - self._window + 1, 0), self._stop)
        return self._keys[layer, :, seen], self._values[layer, :, seen]
