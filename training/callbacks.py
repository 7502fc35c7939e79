"""What watches over a run: a stop at the first NaN, checkpoints by the clock, progress without a terminal."""

import sys
import time
from pathlib import Path

import lightning as L  # noqa: N812
import torch
from torch import Tensor

from tatumflow.engine.errors import TatumFlowError
from tatumflow.training.batches import Batch
from tatumflow.training.packing import PackedPiece


class TrainingError(TatumFlowError):
    """A run that cannot go on."""


class StopAtNan(L.Callback):
    """Stops before a loss that is not finite reaches the weights, and names the batch's pieces."""

    def __init__(self, pieces: tuple[PackedPiece, ...]) -> None:
        self._pieces = pieces
        self._batch: Batch | None = None

    def on_train_batch_start(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        batch: Batch,
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
        named = [self._pieces[i].name for i in torch.unique(self._batch.piece).tolist() if i >= 0]
        raise TrainingError(
            f"step {trainer.global_step}: the loss is {loss.item()} on a batch of {', '.join(named)}; "
            "resume from the last checkpoint with a lower optimizer.lr, or leave the pieces out"
        )


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
        if time.monotonic() - self._written >= self._seconds:
            self._write(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the end state."""
        self._write(trainer)

    def _write(self, trainer: L.Trainer) -> None:
        partial = self._path.with_suffix(".part")
        trainer.save_checkpoint(partial, weights_only=False)
        partial.replace(self._path)
        self._written = time.monotonic()


class ProgressLines(L.Callback):
    """Prints a line now and then, for logs that no terminal shows."""

    def __init__(self, every: int, notes_per_step: float) -> None:
        self._every = every
        self._notes_per_step = notes_per_step
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
        """Print step, loss, rate and notes per second."""
        step, (before, then) = trainer.global_step, self._last
        if step % self._every or step == before:
            return
        now = time.monotonic()
        self._last = (step, now)
        metrics = trainer.callback_metrics
        shown = " ".join(
            f"{name} {float(metrics[name]):.3f}"
            for name in ("train/nll_per_note", "val/nll_per_note")
            if name in metrics
        )
        rate = (step - before) * self._notes_per_step / (now - then)
        learning_rate = trainer.optimizers[0].param_groups[0]["lr"]
        total = trainer.estimated_stepping_batches
        clock = time.strftime("%H:%M:%S", time.gmtime())
        print(f"{clock} step {step}/{total} {shown} lr {learning_rate:.2e} {rate:.0f} notes/s", flush=True)

    @staticmethod
    def wanted() -> bool:
        """Whether lines serve better than a moving bar."""
        return not sys.stderr.isatty()
