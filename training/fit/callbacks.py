"""Callbacks of a run: stopping on a signal or a loss that is not finite, `last.ckpt`, progress lines."""

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
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from tatumflow.engine.errors import TatumFlowError

BatchT = TypeVar("BatchT")


class TrainingError(TatumFlowError):
    """A run that cannot continue."""


class StopAtNan(L.Callback, Generic[BatchT]):
    """Stops before a loss that is not finite reaches the weights, and names the batch's pieces."""

    def __init__(self, named: Callable[[BatchT], list[str]]) -> None:
        """Build the callback.

        Args:
            named: Returns the names of a batch's pieces or recordings.
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
        """Keep the batch for the message."""
        self._batch = batch

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        """Check the loss.

        Raises:
            TrainingError: if it is not finite.
        """
        if torch.isfinite(loss):
            return
        assert self._batch is not None
        raise TrainingError(
            f"step {trainer.global_step}: the loss is {loss.item()} on a batch of "
            f"{', '.join(self._named(self._batch))}; "
            "resume from the last checkpoint with a lower optimizer.lr, or leave these out"
        )


_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


class StopOnDemand(L.Callback):
    """Ends the training after its step at Ctrl-C or SIGTERM; a second signal has its default effect.

    Signals that are not in `endings` keep their handlers. Of several processes, all end after the same step,
    whichever of them got the signal.
    """

    def __init__(self, endings: Sequence[signal.Signals] = _ENDINGS) -> None:
        self._endings = tuple(endings)
        self._requested = False
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Install the signal handlers."""
        if threading.current_thread() is threading.main_thread():
            self._before = {ending: signal.signal(ending, self._request) for ending in self._endings}

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Stop if a signal has come."""
        if trainer.strategy.reduce_boolean_decision(self._requested, all=False):
            trainer.should_stop = True

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Restore the signal handlers."""
        self._restore()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Restore the signal handlers."""
        self._restore()

    def _restore(self) -> None:
        for ending, handler in self._before.items():
            signal.signal(ending, handler)
        self._before = {}

    def _request(self, number: int, frame: FrameType | None) -> None:
        self._requested = True
        for ending in self._endings:
            interrupts = ending is signal.SIGINT
            signal.signal(ending, signal.default_int_handler if interrupts else signal.SIG_DFL)


class TopCheckpoints(ModelCheckpoint):
    """Checkpoints of the best validations; a class of its own, since Lightning saves one state for each."""


class LastCheckpoint(L.Callback):
    """Writes `last.ckpt` every few minutes and when training ends, atomically."""

    def __init__(self, path: Path, minutes: float) -> None:
        self._path = path
        self._seconds = minutes * 60
        self._written = time.monotonic()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._written = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Write if the interval has passed."""
        # All processes write together or none does, and their clocks differ.
        due = time.monotonic() - self._written >= self._seconds
        if trainer.strategy.broadcast(due):
            self._write(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the final state."""
        self._write(trainer)

    def _write(self, trainer: L.Trainer) -> None:
        partial = self._path.with_suffix(".part")
        trainer.save_checkpoint(partial, weights_only=False)
        if trainer.is_global_zero:
            partial.replace(self._path)
        self._written = time.monotonic()


class ProgressLines(L.Callback):
    """Prints a line every few steps, for logs without a terminal."""

    def __init__(self, every: int, amount: float, unit: str, shown: Sequence[str]) -> None:
        """Build the callback.

        Args:
            every: Steps between lines.
            amount: Units trained on in a step.
            unit: Name of the unit.
            shown: Names of the logged values to print.
        """
        self._every = every
        self._amount, self._unit = amount, unit
        self._shown = shown
        self._last = (0, 0.0)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._last = (trainer.global_step, time.monotonic())

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Print step, losses, learning rate and units per second."""
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
    def suitable() -> bool:
        """Whether standard error is no terminal, so that lines suit better than a progress bar."""
        return not sys.stderr.isatty()
