"""The Lightning module that trains any family of note models."""

import math
from collections.abc import Callable
from typing import Any, cast

import lightning as L  # noqa: N812
import torch
from torch import Tensor, nn

from tatumflow.training.batches import Batch
from tatumflow.training.families import NoteModel, build_model
from tatumflow.training.losses import FieldNll, field_nll_sums, scored_counts
from tatumflow.training.settings import OptimizerSettings, TrainConfig

CHECKPOINT_KEY = "tatumflow"
"""Where a checkpoint says what it holds: family, model hyperparameters, configuration, styles; all plain."""


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
        self._nll_sums: Callable[[NoteModel, Batch], Tensor] = field_nll_sums
        if config.run.compile:
            self._nll_sums = torch.compile(field_nll_sums)

    def loss_parts(self, batch: Batch) -> tuple[dict[str, Tensor], FieldNll]:
        """Return the parts whose sum is minimized, by name, and the likelihoods they rest on."""
        nll = FieldNll(self._nll_sums(cast(NoteModel, self.model), batch), scored_counts(batch))
        return {"reconstruction": nll.means.sum()}, nll

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        parts, nll = self.loss_parts(batch)
        loss = torch.stack(list(parts.values())).sum()
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/{name}": value for name, value in nll.named().items()})
        self.log_dict({f"train/loss_{name}": value for name, value in parts.items()})
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the likelihoods of a batch, averaged over batches by their scored notes."""
        parts, nll = self.loss_parts(batch)
        weight = max(int(nll.counts[0]), 1)
        self.log("val/loss", torch.stack(list(parts.values())).sum(), batch_size=weight)
        named = {f"val/{name}": value for name, value in nll.named().items()}
        self.log("val/nll_per_note", named.pop("val/nll_per_note"), batch_size=weight, prog_bar=True)
        self.log_dict(named, batch_size=weight)

    def configure_optimizers(self) -> Any:  # noqa: ANN401 (Lightning's union of dicts)
        """Return AdamW and its schedule, stepped with every optimizer step."""
        settings = self.config.optimizer
        optimizer = torch.optim.AdamW(
            parameter_groups(self.model, settings.weight_decay),
            lr=settings.lr,
            betas=(settings.beta1, settings.beta2),
            fused=True,
        )
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


def learning_rate_share(step: int, total_steps: int, settings: OptimizerSettings) -> float:
    """Return the share of the peak rate at a step: a linear rise, then half a cosine to the final share."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    fallen = min((step - settings.warmup_steps) / max(total_steps - settings.warmup_steps, 1), 1.0)
    return settings.final_lr_share + (1 - settings.final_lr_share) * 0.5 * (1 + math.cos(math.pi * fallen))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return optimizer groups: matrices of linear layers decay, everything else does not."""
    decayed = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    chosen = {id(weight) for weight in decayed}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
