"""The Lightning module of models of melodies."""

import math
from typing import Any

import torch
from torch import Tensor

from tatumflow.training.fit.trainable import FamilyTrainer
from tatumflow.training.melodies.data.batches import MelodyBatch
from tatumflow.training.melodies.fit.losses import melody_pass
from tatumflow.training.melodies.fit.settings import MelodyConfig
from tatumflow.training.models.music_vae.model import MusicVae


class MelodyTrainer(FamilyTrainer):
    """Training of a variational autoencoder of melodies.

    Args:
        config: The run.
        model_settings: All hyperparameters of the model.
        total_steps: Optimizer steps over which the learning rate falls.
    """

    monitor = "val/loss"

    def __init__(self, config: MelodyConfig, model_settings: dict[str, Any], total_steps: int) -> None:
        super().__init__(config, model_settings, total_steps)
        self.losses = config.losses
        self._pass = torch.compile(melody_pass) if config.run.compile else melody_pass

    @property
    def melodies(self) -> MusicVae:
        """The model."""
        assert isinstance(self.model, MusicVae)
        return self.model

    def training_step(self, batch: MelodyBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; its weight of the divergence is that of the optimizer step."""
        result = self._pass(self.melodies, batch.events, sampled=True)
        beta = self.losses.beta_at(self.global_step)
        share = batch.events.shape[1] / self.melodies.config.steps
        loss = result.loss(beta, share * self.losses.free_bits)
        self.log("train/loss", loss, prog_bar=True)
        self.log("train/nll", result.nll.mean())
        self.log("train/accuracy", result.right.float().mean())
        self.log("train/bits", result.divergence.mean() / math.log(2))
        self.log("train/beta", beta)
        return loss

    def validation_step(self, batch: MelodyBatch, batch_idx: int) -> None:
        """Log the loss at the final weight of the divergence, and accuracies.

        `accuracy` is of each event given the true ones before, `free_accuracy` given the decoded ones.
        """
        events = batch.events
        result = self._pass(self.melodies, events, sampled=False)
        right = self.melodies.decode(self.melodies.encoder(events)[0]) == events
        values = {
            "loss": result.loss(self.losses.beta, self.losses.free_bits),
            "nll": result.nll.mean(),
            "accuracy": result.right.float().mean(),
            "free_accuracy": right.float().mean(),
            "bits": result.divergence.mean() / math.log(2),
        }
        self.log_dict({f"val/{name}": value for name, value in values.items()}, batch_size=len(events))
