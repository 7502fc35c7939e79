"""A moving average of the weights: it is what is validated, and it is saved beside the weights."""

from typing import Any, Final

import lightning as L  # noqa: N812
from torch import Tensor

from tatumflow.training.fit.trainable import FamilyTrainer

EMA_KEY: Final = "ema_state_dict"
"""Where a checkpoint holds the averaged model: names of the bare model, not of the Lightning module."""

_UPDATES_KEY: Final = "ema_updates"


class WeightAverage(L.Callback):
    """Keeps an exponential moving average of the model's weights.

    The decay of update n is min(decay, (1 + n) / (10 + n)), so that early weights are soon forgotten
    (as in TensorFlow's ExponentialMovingAverage with `num_updates`).
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._updates = 0
        self._average: dict[str, Tensor] = {}
        self._step_seen = -1

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin from the initial weights, unless a checkpoint brought an average."""
        weights = _weights(pl_module)
        if not self._average:
            self._average = {name: weight.clone() for name, weight in weights.items()}
        self._average = {name: self._average[name].to(weight.device) for name, weight in weights.items()}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count from the step that a resumed run has taken up by now."""
        self._step_seen = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,  # noqa: ANN401 (Lightning's own type)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Update the average once for every optimizer step."""
        if trainer.global_step == self._step_seen:
            return
        self._step_seen = trainer.global_step
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        self._updates += 1
        for name, weight in _weights(pl_module).items():
            self._average[name].lerp_(weight, 1 - decay)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put the average in place of the weights."""
        self._swap(pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put the weights back."""
        self._swap(pl_module)

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the average."""
        checkpoint[EMA_KEY] = dict(self._average)
        checkpoint[_UPDATES_KEY] = self._updates

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take up the average where it was left."""
        if EMA_KEY in checkpoint:
            self._average = {name: tensor.clone() for name, tensor in checkpoint[EMA_KEY].items()}
            self._updates = checkpoint[_UPDATES_KEY]

    def _swap(self, module: L.LightningModule) -> None:
        for name, weight in _weights(module).items():
            average = self._average[name]
            held = weight.clone()
            weight.copy_(average)
            average.copy_(held)


def _weights(module: L.LightningModule) -> dict[str, Tensor]:
    assert isinstance(module, FamilyTrainer)
    return {name: parameter.detach() for name, parameter in module.model.named_parameters()}
