"""The Lightning module that trains any family of note models."""

import math
from collections.abc import Callable
from typing import Any

import lightning as L  # noqa: N812
import torch
from torch import Tensor, nn

from tatumflow.training.batches import Batch
from tatumflow.training.families import LatentModel, build_model
from tatumflow.training.losses import (
    FieldNll,
    flow_training_pass,
    latent_training_pass,
    latent_validation_pass,
    scored_counts,
    training_pass,
    validation_pass,
)
from tatumflow.training.optimizers import build_optimizer
from tatumflow.training.settings import OptimizerSettings, TrainConfig

CHECKPOINT_KEY = "tatumflow"
"""Where a checkpoint says what it holds: family, model hyperparameters, configuration, styles; all plain."""


_MOST_STEPS = 2**32


class NoteTrainer(L.LightningModule):
    """Trains a note model on windows.

    Args:
        config: The run.
        model_settings: The family's hyperparameters, complete.
        styles: Slugs of the styles of ids 1 and up.
        total_steps: Optimizer steps over which the learning rate falls.
    """

    def __init__(
        self,
        config: TrainConfig,
        model_settings: dict[str, Any],
        styles: tuple[str, ...],
        total_steps: int,
    ) -> None:
        super().__init__()
        self.config = config
        self.model = build_model(config.family, model_settings)
        self._identity = {
            "family": config.family,
            "model": model_settings,
            "config": config.plain(),
            "styles": list(styles),
            "total_steps": total_steps,
        }
        self._total_steps = total_steps
        latent = isinstance(self.model, LatentModel)
        flow_alone = latent and config.run.train_parts == ("flow",)
        passes: list[Callable[..., Any]] = [
            flow_training_pass if flow_alone else latent_training_pass if latent else training_pass,
            latent_validation_pass if latent else validation_pass,
        ]
        if config.run.compile:
            passes = [torch.compile(one) for one in passes]
        self._training_pass, self._validation_pass = passes

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Draw from chance of the step's own, so that a resumed run goes on as one that never stopped."""
        torch.manual_seed(self.config.run.seed * _MOST_STEPS + self.global_step)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; its parts are logged apart."""
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
        """Log the likelihoods of a batch, averaged over batches by their scored notes.

        A model with a latent is judged without being told of the phrases, and beside that with it.
        """
        counts = scored_counts(batch)
        weight = max(int(counts[0]), 1)
        for told, sums in self._validation_pass(self.model, batch).items():
            named = {f"val/{name}{told}": value for name, value in FieldNll(sums, counts).named().items()}
            self.log_dict(named, batch_size=weight)

    def configure_optimizers(self) -> Any:  # noqa: ANN401 (Lightning's union of dicts)
        """Return the optimizer and its schedule, stepped with every optimizer step."""
        settings = self.config.optimizer
        optimizer = build_optimizer(self.model, settings)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: learning_rate_share(step, self._total_steps, settings)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by norm; Lightning's own clipping refuses fused optimizers even where no scaler works."""
        norm = nn.utils.clip_grad_norm_(self.parameters(), self.config.optimizer.clip)
        self.log("train/grad_norm", norm)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store what the weights belong to."""
        checkpoint[CHECKPOINT_KEY] = self._identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the peak rate of the configuration count, not that of the run so far."""
        for schedule in checkpoint.get("lr_schedulers", []):
            schedule["base_lrs"] = [self.config.optimizer.lr for _ in schedule["base_lrs"]]


def learning_rate_share(step: int, total_steps: int, settings: OptimizerSettings) -> float:
    """Return the share of the peak rate at a step: a linear rise, a hold, half a cosine to its end."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    after = max(total_steps - settings.warmup_steps, 1)
    held = settings.hold_share * after
    fallen = min(max(step - settings.warmup_steps - held, 0.0) / max(after - held, 1), 1.0)
    return settings.final_lr_share + (1 - settings.final_lr_share) * 0.5 * (1 + math.cos(math.pi * fallen))
