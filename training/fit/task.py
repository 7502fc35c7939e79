"""What a family brings to a run: a module that learns, and what it learns from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tatumflow.training.fit.trainable import FamilyTrainer

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class Task(Generic[BatchT]):
    """Something to learn.

    Attributes:
        module: What learns it.
        steps: Optimizer steps of the run.
        batches: Gives the batches of the run, from the one on whose number the argument tells when iteration
            begins.
        validation: Batches to validate on; None if there are none.
        named: Names of what a batch holds, to be told when it cannot be learned from.
        amount: What an optimizer step learns from, in units.
        unit: Their name.
        shown: Names of the logged values that tell how it goes.
    """

    module: FamilyTrainer
    steps: int
    batches: Callable[[Callable[[], int]], Iterable[BatchT]]
    validation: Iterable[BatchT] | None
    named: Callable[[BatchT], list[str]]
    amount: float
    unit: str
    shown: tuple[str, ...]
