"""States of a stream between calls, for layers that read earlier frames."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


class History:
    """The frames before those of a call, for all layers of a model in their order.

    Without a past, zeros precede the first frame. So a whole signal in one call and its blocks in successive
    calls give the same.
    """

    def __init__(self, past: Sequence[Tensor] | None = None, keep: bool = False) -> None:
        """Begin a call.

        Args:
            past: `kept` after the call before; None at the beginning.
            keep: Whether to keep the states that the next call needs.
        """
        self._past: Iterator[Tensor] | None = None if past is None else iter(past)
        self._keep = keep
        self.kept: list[Tensor] = []

    def extend(self, x: Tensor, back: int, ahead: int = 0) -> Tensor:
        """Return x (B, T, ...) with the frames before and after it, (B, back + T + ahead, ...).

        The frames after it are zeros.
        """
        if back:
            past = x.new_zeros(x.shape[0], back, *x.shape[2:]) if self._past is None else next(self._past)
            x = torch.cat([past.to(x.dtype), x], dim=1)
            if self._keep:
                self.kept.append(x[:, x.shape[1] - back :])
        if ahead:
            x = F.pad(x, (0, 0) * (x.dim() - 2) + (0, ahead))
        return x
