"""The Lightning module of MusicGen's fine-tuning."""

from typing import Any

import torch
from torch import Tensor

from tatumflow.training.fit.trainable import FamilyTrainer
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.musicgen.segments import SegmentBatch
from tatumflow.training.musicgen.settings import MusicgenRun


class MusicgenTrainer(FamilyTrainer):
    """Fine-tuning of MusicGen on segments of coded recordings.

    The loss is the cross-entropy of the codes in nats, averaged over frames and then over codebooks, as in
    Copet et al. 2023, section 2.

    Args:
        config: The run.
        model_settings: The family's hyperparameters, complete.
        total_steps: Optimizer steps over which the learning rate falls.
        recordings: Names of the training recordings, and their length in seconds.
    """

    monitor = "val/loss"

    def __init__(
        self,
        config: MusicgenRun,
        model_settings: dict[str, Any],
        total_steps: int,
        recordings: tuple[list[str], float],
    ) -> None:
        names, seconds = recordings
        further = {"recordings": names, "seconds": seconds}
        super().__init__(config, model_settings, total_steps, further)
        self.settings = config

    @property
    def musicgen(self) -> Musicgen:
        """The model."""
        assert isinstance(self.model, Musicgen)
        return self.model

    def training_step(self, batch: SegmentBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, some segments of which have no caption."""
        condition = self.musicgen.encode_text(batch.captions)
        dropped = torch.rand(len(batch.codes), device=self.device) < self.settings.data.caption_dropout
        sums, frames = self.musicgen.losses(batch.codes, condition.without(dropped))
        by_codebook = sums.sum(dim=0) / frames.sum(dim=0).clamp(min=1)
        loss = by_codebook.mean()
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.codes))
        self.log_dict({f"train/codebook_{k + 1}": value for k, value in enumerate(by_codebook)})
        return loss

    def validation_step(self, batch: SegmentBatch, batch_idx: int) -> None:
        """Log the loss of a batch with captions, weighted by its frames."""
        sums, frames = self.musicgen.losses(batch.codes, self.musicgen.encode_text(batch.captions))
        by_codebook = sums.sum(dim=0) / frames.sum(dim=0).clamp(min=1)
        count = int(frames[:, 0].sum())
        self.log("val/loss", by_codebook.mean(), batch_size=count, prog_bar=True)
        for codebook, value in enumerate(by_codebook):
            self.log(f"val/codebook_{codebook + 1}", value, batch_size=count)
