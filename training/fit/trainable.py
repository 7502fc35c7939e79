"""Base of the Lightning modules: optimizer, random seeds, and what a checkpoint saves."""

import math
from typing import Any, ClassVar, Final

import lightning as L  # noqa: N812
import torch
from torch import nn

from tatumflow.training.fit.optimizers import build_optimizer
from tatumflow.training.fit.settings import OptimizerSettings, RunConfig
from tatumflow.training.fit.sharding import ShardedStrategy, is_sharded, shard, whole
from tatumflow.training.models import build_model

CHECKPOINT_KEY: Final = "tatumflow"
"""Where a checkpoint holds its metadata: family, model hyperparameters, configuration; all plain."""

_MOST_BATCHES: Final = 2**32


class FamilyTrainer(L.LightningModule):
    """Lightning module that trains a model of any family.

    Attributes:
        monitor: Name of the logged value to minimize.
        model: The model.

    Args:
        config: Configuration of the run.
        model_settings: All hyperparameters of the model.
        total_steps: Optimizer steps of the learning-rate schedule.
        further: Further metadata of a checkpoint, plain values.
    """

    monitor: ClassVar[str]

    def __init__(
        self,
        config: RunConfig,
        model_settings: dict[str, Any],
        total_steps: int,
        further: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.model: nn.Module = build_model(config.family, model_settings)
        self._identity = {
            "family": config.family,
            "model": model_settings,
            "config": config.plain(),
            **(further or {}),
            "total_steps": total_steps,
        }
        self._total_steps = total_steps
        self._summed = (-1, 0)

    def configure_model(self) -> None:
        """Shard the model where the strategy shards; Lightning calls this when the processes have joined."""
        if isinstance(self.trainer.strategy, ShardedStrategy) and not is_sharded(self):
            shard(self, self.trainer.strategy.device_mesh["data_parallel"])

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Seed the random generator with the number of the batch in the run.

        So a resumed run equals an uninterrupted one, and each of the batches summed into one step has its own
        noise. They are counted from the last step, as in a resumed run.
        """
        summed = self._summed[1] + 1 if self._summed[0] == self.global_step else 0
        self._summed = (self.global_step, summed)
        number = self.global_step * self.config.optimizer.accumulate + summed
        seed = self.config.run.seed * self.trainer.world_size + self.global_rank
        torch.manual_seed(seed * _MOST_BATCHES + number)

    def on_train_start(self) -> None:
        """Count the batches of a step from its first: a resumed run repeats an interrupted step."""
        self._summed = (-1, 0)

    def configure_optimizers(self) -> Any:  # noqa: ANN401 (Lightning's union of dicts)
        """Return the optimizer and its learning-rate schedule, in optimizer steps."""
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
        """Clip by norm; Lightning's own clipping refuses fused optimizers even without a gradient scaler."""
        norm = nn.utils.clip_grad_norm_(self.parameters(), self.config.optimizer.clip)
        self.log("train/grad_norm", whole(norm))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the metadata."""
        checkpoint[CHECKPOINT_KEY] = self._identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Set the peak rates of the configuration, and repeat an interrupted step from its first batch.

        The sum of its gradients so far is not saved.
        """
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for counts in (progress["total"], progress["current"]):
            for name in ("ready", "started", "processed", "completed"):
                counts[name] -= counts[name] % self.config.optimizer.accumulate
        rates = [group["lr"] for group in build_optimizer(self.model, self.config.optimizer).param_groups]
        for schedule in checkpoint.get("lr_schedulers", []):
            schedule["base_lrs"] = rates


def learning_rate_share(step: int, total_steps: int, settings: OptimizerSettings) -> float:
    """Return the share of the peak rate at a step: linear warm-up, hold, cosine decay."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    after = max(total_steps - settings.warmup_steps, 1)
    held = settings.hold_share * after
    fallen = min(max(step - settings.warmup_steps - held, 0.0) / max(after - held, 1), 1.0)
    return settings.final_lr_share + (1 - settings.final_lr_share) * 0.5 * (1 + math.cos(math.pi * fallen))
