"""The Lightning module of roll models."""

from typing import Any, Final

import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from tatumflow.engine.rolls.conditions import GRID_KINDS, RollConditions
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.roll import Roll
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import RollModel, fill_rolls
from tatumflow.training.fit.sharding import is_sharded
from tatumflow.training.fit.trainable import FamilyTrainer
from tatumflow.training.models.fractal_midi.model import FractalMidi
from tatumflow.training.rolls.data.batches import RollBatch
from tatumflow.training.rolls.fit.losses import LOSSES, RollLosses, roll_losses
from tatumflow.training.rolls.fit.settings import RollConfig
from tatumflow.training.rolls.images import roll_image
from tatumflow.training.rolls.torch_levels import TorchLevels

_SHOWN: Final = RollSampling(steps=(8, 4, 4))
"""Sampling of the pictures."""

_VAL_SEED: Final = 40_000


class RollTrainer(FamilyTrainer):
    """Training of a roll model.

    Args:
        config: The run.
        model_settings: The family's hyperparameters, complete.
        total_steps: Optimizer steps over which the learning rate falls.
        styles: Slugs of the styles, in the order of their ids from 1.
    """

    monitor = "val/loss"

    def __init__(
        self, config: RollConfig, model_settings: dict[str, Any], total_steps: int, styles: tuple[str, ...]
    ) -> None:
        super().__init__(config, model_settings, total_steps, {"styles": list(styles)})
        self.settings = config
        self.styles = ("", *styles)
        self._run = torch.compile(roll_losses, dynamic=True) if config.run.compile else roll_losses

    @property
    def rolls(self) -> FractalMidi:
        """The model."""
        assert isinstance(self.model, FractalMidi)
        return self.model

    def training_step(self, batch: RollBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, in nats for each predicted step; log those of the levels."""
        losses = self._run(self.rolls, batch)
        self.log("train/loss", losses.total, prog_bar=True)
        self.log_dict({f"train/{name}": losses.means[i] for i, name in enumerate(LOSSES)})
        return losses.total

    def on_validation_epoch_start(self) -> None:
        """Begin the sums over the validation."""
        self._sums: list[RollLosses] = []

    def validation_step(self, batch: RollBatch, batch_idx: int) -> None:
        """Sum the losses of a batch, with the same hidden tokens each time; show a fill of its first roll."""
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(_VAL_SEED + batch_idx)
            self._sums.append(roll_losses(self.rolls, batch, drop=False))
        if batch_idx == 0:
            self._show(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the losses over all batches."""
        total = RollLosses(
            torch.stack([one.nats for one in self._sums]).sum(dim=0),
            torch.stack([one.decisions for one in self._sums]).sum(dim=0),
            torch.stack([one.steps for one in self._sums]).sum(dim=0),
        )
        self.log("val/loss", total.total, prog_bar=True, sync_dist=True)
        means = {f"val/{name}": total.means[i] for i, name in enumerate(LOSSES)}
        self.log_dict(means, sync_dist=True)

    def _show(self, batch: RollBatch) -> None:
        """Log pictures to TensorBoard: a roll, and the same with its middle half filled by the model.

        None of a sharded model: one process alone would wait for the others' shares.
        """
        if not isinstance(self.logger, TensorBoardLogger) or not self.trainer.is_global_zero:
            return
        if is_sharded(self):
            return
        real = Roll(batch.state[0].cpu().numpy(), batch.velocity[0].cpu().numpy())
        hidden, known = hide(real, real.width // 4, 3 * real.width // 4)
        style, density, grid = batch.conditions[0].tolist()
        conditions = RollConditions(style, density, GRID_KINDS[grid])
        model = RollModel(TorchLevels(self.rolls), real.width, self.styles)
        (filled,) = fill_rolls(model, [(hidden, known)], [conditions], _SHOWN, seed=0)
        board, step = self.logger.experiment, self.global_step
        for name, picture in (("real", roll_image(real)), ("filled", roll_image(filled, known))):
            board.add_image(f"rolls/{name}", np.ascontiguousarray(picture), step)
