"""The key-value cache: one preallocated ring of rows per layer, owned by the host."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats
from tatumflow.engine.model.decoder import DecoderShape

MASKED: Final = -1e9
"""Mask value of a row that a step does not attend to: its weight underflows to exactly 0."""

MAX_STEPS: Final = 64
"""Most steps of one call; bounds the mask buffer."""


@dataclass(eq=False, slots=True)
class KVCache:
    """Cache rows of past steps: L layers, K key-value heads, W rows, D head width.

    The row of the step at absolute position p lies in slot p % W. A decode step writes new rows only; rolling
    back moves `length` and touches no row. Rows overwritten by steps since rolled back are gone: positions
    from `oldest` on are held, so a rollback below `oldest + window` leaves a shorter context than before.

    Attributes:
        shape: Sizes of the model.
        keys: Rotated keys, (L, K, W, D) float32.
        values: Values, (L, K, W, D) float32.
        length: Steps in the context, and the position of the next step.
        oldest: Lowest position whose row is held; `length` when none is.
        max_steps: Most steps of one call.
    """

    shape: DecoderShape
    keys: Floats = field(init=False, repr=False)
    values: Floats = field(init=False, repr=False)
    length: int = field(init=False, default=0)
    oldest: int = field(init=False, default=0)
    max_steps: int = field(init=False)
    _mask: Floats = field(init=False, repr=False)
    _slots: NDArray[np.int64] = field(init=False, repr=False)
    _own: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = self.shape.cache_rows
        size = (self.shape.num_layers, self.shape.num_kv_heads, rows, self.shape.head_dim)
        self.keys = np.zeros(size, np.float32)
        self.values = np.zeros(size, np.float32)
        self.max_steps = min(MAX_STEPS, rows)
        self._mask = np.empty(self.max_steps * (rows + self.max_steps), np.float32)
        self._slots = np.arange(rows)
        steps = np.arange(self.max_steps)
        behind = steps[:, None] - steps
        visible = (behind >= 0) & (behind <= self.shape.window)
        self._own = np.where(visible, np.float32(0.0), np.float32(MASKED))

    @property
    def positions(self) -> NDArray[np.int64]:
        """Return the absolute position each slot holds, (W,), -1 where it holds none."""
        position = self.length - 1 - (self.length - 1 - self._slots) % self.shape.cache_rows
        return np.where(position >= self.oldest, position, -1)

    @property
    def exact_from(self) -> int:
        """Return the smallest length to roll back to without shortening the window of the next step."""
        return self.oldest + self.shape.window if self.oldest else 0

    def reset(self) -> None:
        """Forget every step."""
        self.length = self.oldest = 0

    def append(self, key: Floats, value: Floats) -> None:
        """Store the rows of the next T steps, each (L, K, T, D), T at most `max_steps`."""
        rows, steps = self.shape.cache_rows, key.shape[2]
        start = self.length % rows
        stop = start + steps
        if stop <= rows:
            self.keys[:, :, start:stop] = key
            self.values[:, :, start:stop] = value
        else:
            whole = rows - start
            self.keys[:, :, start:] = key[:, :, :whole]
            self.values[:, :, start:] = value[:, :, :whole]
            self.keys[:, :, : stop - rows] = key[:, :, whole:]
            self.values[:, :, : stop - rows] = value[:, :, whole:]
        self.length += steps
        self.oldest = max(self.oldest, self.length - rows)

    def rollback(self, length: int) -> None:
        """Go back to the first `length` steps.

        A depth the ring still holds is exact. Below `oldest` no row is left: the context is empty, its next
        step keeps its absolute position.

        Raises:
            ValueError: if `length` is negative or more than the present length.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot roll {self.length} steps back to {length}")
        self.length = length
        self.oldest = min(self.oldest, length)

    def attention_mask(self, first_position: int, steps: int) -> Floats:
        """Return the additive attention mask of the next steps, (steps, W + steps) float32.

        A step attends to itself, to new steps before it and to held rows, at most `window` positions back.
        The array is a view that the next call overwrites.

        Args:
            first_position: Position of the first new step; `length`, or less to leave out the steps after.
            steps: New steps, 1 to `max_steps`.

        Raises:
            ValueError: if `first_position` lies after `length` or `steps` is out of range.
        """
        if first_position > self.length or not 1 <= steps <= self.max_steps:
            raise ValueError(f"no mask for {steps} steps from {first_position} with {self.length} steps held")
        rows, window = self.shape.cache_rows, self.shape.window
        mask = self._mask[: steps * (rows + steps)].reshape(steps, rows + steps)
        mask[:, :rows] = MASKED
        mask[:, rows:] = self._own[:steps, :steps]
        start = max(self.oldest, first_position - window)
        _fill(mask, start, first_position, rows, 0.0)
        # Within the batch the window slides on: each further step masks one more of the oldest rows.
        for step in range(max(1, start + 1 + window - first_position), steps):
            _fill(mask[step], start, min(first_position + step - window, first_position), rows, MASKED)
        return mask


def _fill(mask: Floats, start: int, stop: int, rows: int, value: float) -> None:
    """Write `value` at the slots of positions `start` to `stop - 1`, at most `rows` of them."""
    if start >= stop:
        return
    low, high = start % rows, stop % rows
    if low < high:
        mask[..., low:high] = value
    else:
        mask[..., low:rows] = value
        mask[..., :high] = value
