"""Training task of a run: a Lightning module and its batches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tatumflow.training.fit.trainable import FamilyTrainer

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class Task(Generic[BatchT]):
    """A training task.

    Attributes:
        module: The Lightning module.
        steps: Optimizer steps of the run.
        batches: Returns the batches of the run; its argument, called when iteration begins, returns the
            number of the first.
        validation: Batches to validate on; None if there are none.
        named: Returns the names of a batch's pieces or recordings, for error messages.
        amount: Units trained on in an optimizer step.
        unit: Name of the unit.
        shown: Names of the logged values to show as progress.
    """

    module: FamilyTrainer
    steps: int
    batches: Callable[[Callable[[], int]], Iterable[BatchT]]
    validation: Iterable[BatchT] | None
    named: Callable[[BatchT], list[str]]
    amount: float
    unit: str
    shown: tuple[str, ...]
