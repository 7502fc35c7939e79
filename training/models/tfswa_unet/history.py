"""What layers that look back remember of a stream from one call to the next."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


class History:
    """The frames before those of a call, for all layers of a model in the order in which they ask.

    Without a past there is nothing but zeros before the first frame. So a whole signal in one call and its
    blocks call after call see the same.
    """

    def __init__(self, past: Sequence[Tensor] | None = None, keep: bool = False) -> None:
        """Begin a call.

        Args:
            past: What `kept` was after the call before; None at the beginning.
            keep: Whether to keep what the next call needs.
        """
        self._past: Iterator[Tensor] | None = None if past is None else iter(past)
        self._keep = keep
        self.kept: list[Tensor] = []

    def extend(self, x: Tensor, back: int, ahead: int = 0) -> Tensor:
        """Return x (B, T, ...) between the frames before and after it, (B, back + T + ahead, ...).

        What comes after it is never known, and is zero.
        """
        if back:
            past = x.new_zeros(x.shape[0], back, *x.shape[2:]) if self._past is None else next(self._past)
            x = torch.cat([past.to(x.dtype), x], dim=1)
            if self._keep:
                self.kept.append(x[:, x.shape[1] - back :])
        if ahead:
            x = F.pad(x, (0, 0) * (x.dim() - 2) + (0, ahead))
        return x
