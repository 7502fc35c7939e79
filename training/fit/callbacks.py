"""What watches over a run: stops on demand and at the first NaN, checkpoints, progress without a terminal."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, Generic, TypeVar

import lightning as L  # noqa: N812
import torch
from torch import Tensor

from tatumflow.engine.errors import TatumFlowError

BatchT = TypeVar("BatchT")


class TrainingError(TatumFlowError):
    """A run that cannot go on."""


class StopAtNan(L.Callback, Generic[BatchT]):
    """Stops before a loss that is not finite reaches the weights, and names what the batch holds."""

    def __init__(self, named: Callable[[BatchT], list[str]]) -> None:
        """Watch a run.

        Args:
            named: Gives the names of what a batch holds.
        """
        self._named = named
        self._batch: BatchT | None = None

    def on_train_batch_start(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        batch: BatchT,
        batch_idx: int,
    ) -> None:
        """Remember the batch."""
        self._batch = batch

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        """Look at the loss.

        Raises:
            TrainingError: if it is not finite.
        """
        if torch.isfinite(loss):
            return
        assert self._batch is not None
        raise TrainingError(
            f"step {trainer.global_step}: the loss is {loss.item()} on a batch of "
            f"{', '.join(self._named(self._batch))}; "
            "resume from the last checkpoint with a lower optimizer.lr, or leave the pieces out"
        )


_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


class StopOnDemand(L.Callback):
    """Ends the training after its step at Ctrl-C or SIGTERM; a second one ends the program as ever.

    Where SIGTERM shall end the program at once, `endings` leaves it out.

    Of several processes, all end after the same step, whichever of them was asked.
    """

    def __init__(self, endings: Sequence[signal.Signals] = _ENDINGS) -> None:
        self._endings = tuple(endings)
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Listen from now on."""
        if threading.current_thread() is threading.main_thread():
            self._before = {ending: signal.signal(ending, self._ask) for ending in self._endings}

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Stop if it was asked for."""
        if trainer.strategy.reduce_boolean_decision(self._asked, all=False):
            trainer.should_stop = True

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Listen no longer."""
        self._restore()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Listen no longer."""
        self._restore()

    def _restore(self) -> None:
        for ending, handler in self._before.items():
            signal.signal(ending, handler)
        self._before = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        for ending in self._endings:
            interrupts = ending is signal.SIGINT
            signal.signal(ending, signal.default_int_handler if interrupts else signal.SIG_DFL)


class LastCheckpoint(L.Callback):
    """Writes `last.ckpt` every few minutes and when training ends, never leaving half a file."""

    def __init__(self, path: Path, minutes: float) -> None:
        self._path = path
        self._seconds = minutes * 60
        self._written = time.monotonic()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count from now."""
        self._written = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Write if it is time."""
        # All processes write together or none does, and their clocks differ.
        due = time.monotonic() - self._written >= self._seconds
        if trainer.strategy.broadcast(due):
            self._write(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the end state."""
        self._write(trainer)

    def _write(self, trainer: L.Trainer) -> None:
        partial = self._path.with_suffix(".part")
        trainer.save_checkpoint(partial, weights_only=False)
        if trainer.is_global_zero:
            partial.replace(self._path)
        self._written = time.monotonic()


class ProgressLines(L.Callback):
    """Prints a line now and then, for logs that no terminal shows."""

    def __init__(self, every: int, amount: float, unit: str, shown: Sequence[str]) -> None:
        """Watch a run.

        Args:
            every: Steps between lines.
            amount: What a step learns from, in units.
            unit: Their name.
            shown: Names of the logged values to print.
        """
        self._every = every
        self._amount, self._unit = amount, unit
        self._shown = shown
        self._last = (0, 0.0)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the watch."""
        self._last = (trainer.global_step, time.monotonic())

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Print step, losses, rate and how much is learned from in a second."""
        step, (before, then) = trainer.global_step, self._last
        if step % self._every or step == before or not trainer.is_global_zero:
            return
        now = time.monotonic()
        self._last = (step, now)
        metrics = trainer.callback_metrics
        shown = " ".join(f"{name} {float(metrics[name]):.3f}" for name in self._shown if name in metrics)
        rate = (step - before) * self._amount / (now - then)
        learning_rate = trainer.optimizers[0].param_groups[0]["lr"]
        total = trainer.estimated_stepping_batches
        clock = time.strftime("%H:%M:%S", time.gmtime())
        print(
            f"{clock} step {step}/{total} {shown} lr {learning_rate:.2e} {rate:.0f} {self._unit}/s",
            flush=True,
        )

    @staticmethod
    def wanted() -> bool:
        """Whether lines serve better than a moving bar."""
        return not sys.stderr.isatty()
