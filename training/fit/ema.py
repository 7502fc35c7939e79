"""Exponential moving average of the weights: what is validated, exported and evaluated."""

from typing import Any, Final

import lightning as L  # noqa: N812
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from tatumflow.training.fit.sharding import (
    ShardedStrategy,
    is_sharded,
    load_whole_state,
    shard,
    whole_state,
)

EMA_KEY: Final = "ema_state_dict"
"""Where an older checkpoint holds the averaged model, by the names of the bare model; a new one holds it in
`state_dict`."""

_UPDATES_KEY: Final = "ema_updates"


class WeightAverage(WeightAveraging):
    """Lightning's averaging of the weights, with a decay that warms up.

    The decay of update n is min(decay, (1 + n) / (10 + n)), so that early weights are soon forgotten
    (as in TensorFlow's ExponentialMovingAverage with `num_updates`).
    """

    def __init__(self, decay: float) -> None:
        """Average with a decay of `decay`, 0 to 1, in the long run."""

        def averaged(average: Tensor, weight: Tensor, updates: Tensor | int) -> Tensor:
            count = torch.as_tensor(updates)
            return torch.lerp(average, weight, 1 - ((1 + count) / (10 + count)).clamp(max=decay))

        # Lightning averages where the module is at set-up, and moves the module to the GPU only after that.
        device = torch.device("cuda") if torch.cuda.is_available() else None
        super().__init__(device, use_buffers=False, avg_fn=averaged)

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Copy the model, before it is sharded, and shard the copy alike; Lightning refuses to."""
        if stage != "fit":
            return
        strategy = trainer.strategy
        sharded = isinstance(strategy, ShardedStrategy)
        if sharded:
            # The mesh holds process groups, which cannot be copied.
            pl_module._device_mesh = None
        device = self._device or pl_module.device
        self._average_model = AveragedModel(pl_module, device, self._kwargs["avg_fn"])
        if sharded:
            pl_module._device_mesh = strategy.device_mesh
            shard(self._average_model.module, strategy.device_mesh["data_parallel"])

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the weights, which Lightning would overwrite: `last.ckpt` is yet to be written from them."""

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the average as the state, and the weights beside it."""
        if not is_sharded(pl_module):
            super().on_save_checkpoint(trainer, pl_module, checkpoint)
            return
        assert self._average_model is not None
        checkpoint["current_model_state"] = checkpoint["state_dict"]
        checkpoint["state_dict"] = whole_state(self._average_model.module)
        checkpoint["averaging_state"] = {"n_averaged": self._average_model.n_averaged}

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Restore weights and average, from the layout of an older checkpoint too."""
        if EMA_KEY in checkpoint:
            average = {f"model.{name}": tensor for name, tensor in checkpoint[EMA_KEY].items()}
            self.load_state_dict({"latest_update_step": checkpoint["global_step"]})
            checkpoint = {
                "current_model_state": checkpoint["state_dict"],
                "state_dict": checkpoint["state_dict"] | average,
                "averaging_state": {"n_averaged": torch.tensor(checkpoint[_UPDATES_KEY])},
            }
        if not is_sharded(pl_module) or "averaging_state" not in checkpoint:
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
            return
        assert self._average_model is not None
        load_whole_state(self._average_model.module, checkpoint["state_dict"])
        self._average_model.n_averaged.copy_(checkpoint["averaging_state"]["n_averaged"])
        load_whole_state(pl_module, checkpoint["current_model_state"])
