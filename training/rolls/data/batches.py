"""Batches of crops, in an order that a resumed run continues."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tatumflow.training.rolls.data.crops import RollCrops, RollExample


class RollBatch(NamedTuple):
    """B crops of W steps, a multiple of 16; see `RollExample`."""

    state: Tensor
    """(B, 128, W) int8."""
    velocity: Tensor
    """(B, 128, W) uint8."""
    known: Tensor
    """(B, 128, W) bool."""
    conditions: Tensor
    """(B, CONDITIONS) int64."""
    key: Tensor
    """(B, 12) float32."""
    section: Tensor
    """(B,) int64."""


def collate(examples: list[RollExample]) -> RollBatch:
    """Stack crops into a batch."""
    columns = zip(*examples, strict=True)
    return RollBatch(
        *(torch.from_numpy(np.stack([np.asarray(part) for part in column])) for column in columns)
    )


class _Crops(Dataset[RollExample]):
    """Crops as a map-style dataset."""

    def __init__(self, crops: RollCrops) -> None:
        self._crops = crops

    def __getitem__(self, index: int) -> RollExample:
        return self._crops[index]


@dataclass(frozen=True)
class CropStream:
    """The batches of a whole run.

    Attributes:
        crops: Crops of the whole run.
        batch_size: Crops in a batch.
        start: Returns the number of finished batches of the run; called when iteration begins.
        num_workers: Processes that draw crops.
    """

    crops: RollCrops
    batch_size: int
    start: Callable[[], int] = int
    num_workers: int = 0

    def __len__(self) -> int:
        return len(self.crops) // self.batch_size

    def __iter__(self) -> Iterator[RollBatch]:
        numbers = [[*range(b * self.batch_size, (b + 1) * self.batch_size)] for b in range(len(self))]
        yield from DataLoader(
            _Crops(self.crops),
            batch_sampler=numbers[self.start() :],
            collate_fn=collate,
            num_workers=self.num_workers,
        )
