"""One process's share of every batch in distributed data-parallel training."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

BatchT = TypeVar("BatchT", bound=tuple)


@dataclass(frozen=True)
class BatchShare(Generic[BatchT]):
    """Every `processes`-th row of each batch, so that all processes together train on the whole.

    Every process builds the whole batches: that costs little beside a step, and makes their order and a
    resumed run's place in it independent of the number of processes.

    Attributes:
        batches: Named tuples of tensors (B, ...), B at least `processes`.
        rank: Rank of this process, from 0.
        processes: Number of processes.
    """

    batches: Iterable[BatchT]
    rank: int
    processes: int

    def __len__(self) -> int:
        return len(self.batches)  # pyright: ignore[reportArgumentType]

    def __iter__(self) -> Iterator[BatchT]:
        for batch in self.batches:
            yield type(batch)(*(tensor[self.rank :: self.processes] for tensor in batch))
