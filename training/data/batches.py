"""Windows as batches of tensors, in an order that a resumed run continues exactly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tatumflow.training.data.windows import Epoch, Window, Windows


class Batch(NamedTuple):
    """B windows of T steps; see `tatumflow.training.data.windows.Window` for what each tensor holds."""

    fields: Tensor
    """(B, T, 4) int64."""
    role: Tensor
    """(B, T) int64."""
    style: Tensor
    """(B, T) int64."""
    target: Tensor
    """(B, T, 4) int64."""
    scored: Tensor
    """(B, T, 4) bool."""
    piece: Tensor
    """(B, T) int64."""
    chord: Tensor
    """(B, T) int64."""
    next_chord: Tensor
    """(B, T) int64."""
    metre: Tensor
    """(B, T, 3) int64."""
    next_metre: Tensor
    """(B, T, 3) int64."""
    tick_seconds: Tensor
    """(B, T) float32."""
    phrase: Tensor
    """(B, T) int64."""
    phrase_steps: Tensor
    """(B, Q, N) int64."""
    previous: Tensor
    """(B, Q) int64."""
    features: Tensor
    """(B, Q, NUM_FEATURES) float32."""
    key: Tensor
    """(B, Q) int64."""


def collate(windows: list[Window]) -> Batch:
    """Stack windows into a batch."""
    return Batch(
        *(torch.from_numpy(np.stack([getattr(window, name) for window in windows])) for name in Batch._fields)
    )


class EpochDataset(Dataset[Window]):
    """The windows of a planned epoch as a map-style dataset."""

    def __init__(self, epoch: Epoch) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._epoch)

    def __getitem__(self, index: int) -> Window:
        return self._epoch.window(index)


@dataclass(frozen=True)
class BatchStream:
    """The batches of a whole run, epoch after epoch.

    Every epoch has as many batches as epoch 0 fills, so that a batch's number gives its epoch and its index
    there; the few windows by which an epoch's plan is longer or shorter are left out or repeated.

    Attributes:
        windows: The windows to batch.
        batch_size: Windows in a batch.
        total: Batches in the run.
        start: Called when iteration begins; returns the number of batches already trained on.
        num_workers: Processes that build windows.
    """

    windows: Windows
    batch_size: int
    total: int
    start: Callable[[], int] = int
    num_workers: int = 0

    @property
    def batches_per_epoch(self) -> int:
        """Batches in every epoch, at least 1."""
        return batches_per_epoch(self.windows, self.batch_size)

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[Batch]:
        per_epoch = self.batches_per_epoch
        done = self.start()
        while done < self.total:
            number, first = divmod(done, per_epoch)
            last = min(per_epoch, first + self.total - done)
            epoch = self.windows.epoch(number)
            chosen = [
                [i % len(epoch) for i in range(b * self.batch_size, (b + 1) * self.batch_size)]
                for b in range(first, last)
            ]
            yield from DataLoader(
                EpochDataset(epoch),
                batch_sampler=chosen,
                collate_fn=collate,
                num_workers=self.num_workers,
            )
            done += last - first


def piece_names(windows: Windows, batch: Batch) -> list[str]:
    """Return the names of the pieces in a batch."""
    return [windows.pieces[i].name for i in torch.unique(batch.piece).tolist() if i >= 0]


def batches_per_epoch(windows: Windows, batch_size: int) -> int:
    """Return how many whole batches epoch 0 fills, at least 1."""
    return max(len(windows.epoch(0)) // batch_size, 1)
