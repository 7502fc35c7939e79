"""Segments of coded recordings in batches: random ones for training, sequential ones for validation."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tatumflow.training.musicgen.token_cache import CodedRecording


class SegmentBatch(NamedTuple):
    """B segments of K codebooks."""

    codes: Tensor
    """(B, K, T) int64; -1 beyond the end of a recording."""
    recording: Tensor
    """(B,) int64: the number of each segment's recording."""
    captions: tuple[str, ...]
    """Caption of each segment."""


@dataclass(frozen=True)
class RandomSegments:
    """Batches of random segments: the same seed and number give the same batch.

    Recordings are drawn in proportion to their length.

    Attributes:
        recordings: At least one.
        frames: Frames of a segment.
        batch_size: Segments in a batch.
        batches: Batches of the run.
        seed: Seed of the draws.
        start: Returns the number of the first batch; called when iteration begins.
    """

    recordings: Sequence[CodedRecording]
    frames: int
    batch_size: int
    batches: int
    seed: int
    start: Callable[[], int] = int

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[SegmentBatch]:
        lengths = np.array([coded.codes.shape[1] for coded in self.recordings], dtype=np.float64)
        for number in range(self.start(), self.batches):
            rng = np.random.default_rng([self.seed, number])
            chosen = rng.choice(len(lengths), self.batch_size, p=lengths / lengths.sum())
            places = [(int(i), int(rng.integers(max(int(lengths[i]) - self.frames, 0) + 1))) for i in chosen]
            yield batch_of(self.recordings, places, self.frames)


@dataclass(frozen=True)
class SequentialSegments:
    """Batches of segments that cover recordings, or as many as there may be, evenly spread over them.

    Attributes:
        recordings: The recordings.
        frames: Frames of a segment.
        batch_size: Most segments in a batch.
        most: Most segments; None for all.
    """

    recordings: Sequence[CodedRecording]
    frames: int
    batch_size: int
    most: int | None = None

    @property
    def places(self) -> list[tuple[int, int]]:
        """Recording and first frame of each segment."""
        places = [
            (number, start)
            for number, coded in enumerate(self.recordings)
            for start in range(0, coded.codes.shape[1], self.frames)
        ]
        count = min(self.most or len(places), len(places))
        return [places[(2 * i + 1) * len(places) // (2 * count)] for i in range(count)]

    def __len__(self) -> int:
        return -(-len(self.places) // self.batch_size)

    def __iter__(self) -> Iterator[SegmentBatch]:
        places = self.places
        for first in range(0, len(places), self.batch_size):
            yield batch_of(self.recordings, places[first : first + self.batch_size], self.frames)


def batch_of(
    recordings: Sequence[CodedRecording], places: Iterable[tuple[int, int]], frames: int
) -> SegmentBatch:
    """Return the batch of segments of `frames` frames at places: recording and first frame of each."""
    rows, numbers, captions = [], [], []
    for number, start in places:
        codes = recordings[number].codes[:, start : start + frames]
        rows.append(np.pad(codes, ((0, 0), (0, frames - codes.shape[1])), constant_values=-1))
        numbers.append(number)
        captions.append(recordings[number].recording.caption)
    codes = torch.from_numpy(np.stack(rows).astype(np.int64))
    return SegmentBatch(codes, torch.tensor(numbers), tuple(captions))
