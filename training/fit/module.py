"""The Lightning module that trains any family of note models."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tatumflow.training.data.batches import Batch
from tatumflow.training.fit.losses import (
    FieldNll,
    flow_training_pass,
    latent_training_pass,
    latent_validation_pass,
    scored_counts,
    training_pass,
    validation_pass,
)
from tatumflow.training.fit.settings import TrainConfig
from tatumflow.training.fit.trainable import FamilyTrainer
from tatumflow.training.models import LatentModel


class NoteTrainer(FamilyTrainer):
    """Lightning module that trains a note model on windows.

    Args:
        config: Configuration of the run.
        model_settings: All hyperparameters of the model.
        styles: Slugs of the styles of ids 1 and up.
        total_steps: Optimizer steps over which the learning rate falls.
        corpora: Name of the corpus of each validation piece.
    """

    monitor = "val/nll_per_note"
    _corpus_of_piece: Tensor

    def __init__(
        self,
        config: TrainConfig,
        model_settings: dict[str, Any],
        styles: tuple[str, ...],
        total_steps: int,
        corpora: Sequence[str] = (),
    ) -> None:
        super().__init__(config, model_settings, total_steps, {"styles": list(styles)})
        self._corpora = sorted(set(corpora))
        places = torch.tensor([self._corpora.index(name) for name in corpora], dtype=torch.long)
        self.register_buffer("_corpus_of_piece", places, persistent=False)
        latent = isinstance(self.model, LatentModel)
        flow_alone = latent and config.run.train_parts == ("flow",)
        passes: list[Callable[..., Any]] = [
            flow_training_pass if flow_alone else latent_training_pass if latent else training_pass,
            latent_validation_pass if latent else validation_pass,
        ]
        if config.run.compile:
            passes = [torch.compile(one) for one in passes]
        self._training_pass, self._validation_pass = passes

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, and log its parts."""
        sums, further = self._training_pass(self.model, batch)
        parts = dict(further)
        if sums is not None:
            nll = FieldNll(sums, scored_counts(batch))
            parts["reconstruction"] = nll.means.sum()
            self.log_dict({f"train/{name}": value for name, value in nll.named().items()})
        loss = torch.stack(list(parts.values())).sum()
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/loss_{name}": value for name, value in parts.items()})
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the held-out NLL of a batch, averaged over batches by their scored notes.

        A model with a latent is validated unconditionally and under the posterior mean. Of several corpora,
        each is also validated alone: one that is repeated often is overfitted first.
        """
        nats = self._validation_pass(self.model, batch)
        everywhere = torch.ones_like(batch.role, dtype=torch.bool)
        for ending, by_step in nats.items():
            self._log_validation(by_step, batch, everywhere, ending)
        if len(self._corpora) > 1:
            corpus = self._corpus_of_piece[batch.piece.clamp(min=0)]
            for place, name in enumerate(self._corpora):
                self._log_validation(nats[""], batch, corpus == place, f"_{name}")

    def _log_validation(self, nats: Tensor, batch: Batch, chosen: Tensor, ending: str) -> None:
        """Log the NLL (4, B, T) of the chosen steps (B, T), if any is scored."""
        counts = (batch.scored & chosen[..., None]).sum(dim=(0, 1)).float()
        if not counts[0]:
            return
        nll = FieldNll((nats * chosen).sum(dim=(1, 2)), counts)
        named = {f"val/{name}{ending}": value for name, value in nll.named().items()}
        self.log_dict(named, batch_size=int(counts[0]))
