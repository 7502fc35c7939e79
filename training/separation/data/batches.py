"""Batches of excerpts, in an order that a resumed run continues."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tatumflow.training.separation.data.segments import RandomSegments, SequentialSegments


class SegmentBatch(NamedTuple):
    """B excerpts of s stems."""

    parts: Tensor
    """(B, s + 1, 2, n) float32; see `tatumflow.training.separation.data.parts`."""
    number: Tensor
    """(B,) int64: their numbers among all that the run draws."""


class _Numbered(Dataset[SegmentBatch]):
    """Excerpts with their numbers."""

    def __init__(self, segments: RandomSegments) -> None:
        self._segments = segments

    def __getitem__(self, index: int) -> SegmentBatch:
        return SegmentBatch(self._segments[index], torch.tensor(index))


@dataclass(frozen=True)
class SegmentStream:
    """The batches of a whole run.

    Attributes:
        segments: Excerpts of the whole run.
        batch_size: Excerpts in a batch.
        start: Returns the number of finished batches of the run; called when iteration begins.
        num_workers: Processes that read excerpts.
    """

    segments: RandomSegments
    batch_size: int
    start: Callable[[], int] = int
    num_workers: int = 0

    def __len__(self) -> int:
        return len(self.segments) // self.batch_size

    def __iter__(self) -> Iterator[SegmentBatch]:
        numbers = [[*range(b * self.batch_size, (b + 1) * self.batch_size)] for b in range(len(self))]
        yield from DataLoader(
            _Numbered(self.segments), batch_sampler=numbers[self.start() :], num_workers=self.num_workers
        )


@dataclass(frozen=True)
class SpreadStream:
    """Batches of excerpts that lie evenly spread over recordings: the same ones every time.

    Attributes:
        segments: All excerpts.
        batch_size: Excerpts in a batch.
        batches: Most batches.
    """

    segments: SequentialSegments
    batch_size: int
    batches: int

    def __len__(self) -> int:
        return max(min(self.batches, len(self.segments) // self.batch_size), 1)

    def __iter__(self) -> Iterator[SegmentBatch]:
        for batch in torch.tensor(self._numbers()).split(self.batch_size):
            chosen: Sequence[int] = batch.tolist()
            yield SegmentBatch(torch.stack([self.segments[number][0] for number in chosen]), batch)

    def _numbers(self) -> list[int]:
        count = min(len(self) * self.batch_size, len(self.segments))
        return [(2 * i + 1) * len(self.segments) // (2 * count) for i in range(count)]
