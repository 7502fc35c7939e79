"""Batches of melodies, in an order that a resumed run continues."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tatumflow.engine.arrays import Ints
from tatumflow.engine.melodies.melody import STEPS_PER_BAR
from tatumflow.training.melodies.data.windows import MelodyWindows, in_random_keys


class MelodyBatch(NamedTuple):
    """B melodies."""

    events: Tensor
    """(B, steps) int64; see `engine/melodies/melody.py`."""
    piece: Tensor
    """(B,) int64: numbers of their pieces."""


@dataclass(frozen=True)
class MelodyStream:
    """The batches of a whole run: every melody once an epoch, in an order drawn for each epoch.

    Attributes:
        windows: The melodies.
        batch_size: Melodies in a batch.
        batches: Batches of the run.
        seed: Seed of order and keys.
        augment: Whether each melody is moved to a random key.
        start: Returns the number of finished batches; called when iteration begins.
        lengthened: Batches over which melodies grow from one bar to all; see `bars_at`.
    """

    windows: MelodyWindows
    batch_size: int
    batches: int
    seed: int = 0
    augment: bool = True
    start: Callable[[], int] = int
    lengthened: int = 0

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[MelodyBatch]:
        order = lru_cache(maxsize=2)(self._order)
        size, count = self.batch_size, len(self.windows)
        for number in range(self.start(), self.batches):
            epochs, places = np.divmod(np.arange(number * size, (number + 1) * size), count)
            chosen = np.array([order(int(e))[p] for e, p in zip(epochs, places, strict=True)])
            rng = np.random.default_rng((self.seed, 1, number)) if self.augment else None
            batch = _batch(self.windows, chosen, rng)
            bars = bars_at(number, self.lengthened, self.windows.steps // STEPS_PER_BAR)
            yield batch._replace(events=batch.events[:, : bars * STEPS_PER_BAR])

    def _order(self, epoch: int) -> Ints:
        return np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.windows))


def bars_at(batch: int, lengthened: int, bars: int) -> int:
    """Return the bars of the melodies of a batch.

    Args:
        batch: Its number, from 0.
        lengthened: Batches over which melodies grow from one bar to all, doubling at even distances.
        bars: Bars of whole melodies.
    """
    doublings = (bars - 1).bit_length()
    return min(1 << (doublings * batch // lengthened), bars) if batch < lengthened else bars


@dataclass(frozen=True)
class SpreadStream:
    """Batches of melodies evenly spread over all, in their own keys: the same ones every time.

    Attributes:
        windows: The melodies.
        batch_size: Melodies in a batch.
        batches: Most batches.
    """

    windows: MelodyWindows
    batch_size: int
    batches: int

    def __len__(self) -> int:
        return max(-(-min(len(self.windows), self.batches * self.batch_size) // self.batch_size), 1)

    def __iter__(self) -> Iterator[MelodyBatch]:
        numbers = self.windows.spread(self.batches * self.batch_size)
        for chosen in np.split(numbers, range(self.batch_size, len(numbers), self.batch_size)):
            yield _batch(self.windows, chosen, None)


def _batch(windows: MelodyWindows, chosen: Ints, rng: np.random.Generator | None) -> MelodyBatch:
    events = windows.melodies(chosen)
    if rng is not None:
        events = in_random_keys(events, rng)
    return MelodyBatch(torch.from_numpy(events), torch.from_numpy(windows.piece[chosen]))
