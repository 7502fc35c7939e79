"""Training of a configuration, from the start or resumed from its last checkpoint."""

import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import lightning as L  # noqa: N812
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import Strategy
from lightning.pytorch.utilities import rank_zero_only

from tatumflow.engine.errors import SettingError
from tatumflow.training.fit.batch_share import BatchShare
from tatumflow.training.fit.callbacks import (
    LastCheckpoint,
    ProgressLines,
    StopAtNan,
    StopOnDemand,
    TopCheckpoints,
)
from tatumflow.training.fit.ema import WeightAverage
from tatumflow.training.fit.machines import named_peers, strategy_of
from tatumflow.training.fit.precision import choose_precision
from tatumflow.training.fit.settings import RunConfig
from tatumflow.training.fit.start import start_from, train_only
from tatumflow.training.fit.task import Task

LAST: Final = "last.ckpt"
BEST: Final = "best.ckpt"
_CONFIG_FILE: Final = "config.json"


@dataclass(frozen=True)
class FitResult:
    """Result of a run.

    Attributes:
        run_dir: Its folder.
        last: Checkpoint of the final state.
        best: Checkpoint of the best validation; None without a validation.
        steps: Optimizer steps done, those before a resumption included.
        planned: Optimizer steps planned.
        metrics: Last logged values by name.
    """

    run_dir: Path
    last: Path
    best: Path | None
    steps: int
    planned: int
    metrics: dict[str, float]


def fit(
    config: RunConfig, run_dir: Path, task_of: Callable[[bool], Task[Any]], resume: bool = False
) -> FitResult:
    """Train a model until its steps are done, early stopping, the end of its time, or Ctrl-C.

    The run folder gets `last.ckpt`, `best.ckpt`, `top-N.ckpt`, `step-N.ckpt`, `config.json` and TensorBoard's
    events.

    Args:
        config: Configuration of the run.
        run_dir: Its folder; made if missing. Without `resume` it must hold no run.
        task_of: Builds the task, given whether the run is resumed.
        resume: Continue from `last.ckpt` in the folder: weights, average, optimizer, schedule and place in
            the data.

    Raises:
        SettingError: if the folder holds a run without `resume`, or none with it.
        CorpusError: if the corpus or the recordings cannot be read or have no training side.
        TrainingError: if a loss is not finite.
        PeerError: if another process of the run cannot be reached or has ended.
    """
    run_dir = Path(run_dir)
    last = run_dir / LAST
    if resume and not last.exists():
        raise SettingError(f"{run_dir}: holds no {LAST} to resume from; start without resuming")
    if not resume and last.exists():
        raise SettingError(f"{run_dir}: holds a run already; resume it or choose another folder")
    strategy = strategy_of(config.run)
    run_dir.mkdir(parents=True, exist_ok=True)
    quieten()
    if config.run.threads:
        torch.set_num_threads(config.run.threads)
    if config.run.processes > 1 and not torch.cuda.is_available():
        # Graphs split for DDP overlap computing and communication, which gains nothing on one CPU.
        torch._dynamo.config.optimize_ddp = False
    L.seed_everything(config.run.seed, verbose=False)

    rank_zero_only(print)(choose_precision(config.run.precision), flush=True)
    task = task_of(resume)
    module = task.module
    if config.run.start_from and not resume:
        start_from(module.model, config.run.start_from, config.run.start_parts)
    train_only(module.model, config.run.train_parts)
    trainer = _trainer(config, run_dir, task, strategy)
    if trainer.is_global_zero:
        (run_dir / _CONFIG_FILE).write_text(json.dumps(config.plain(), indent=1), encoding="utf-8")
    batches = task.batches(lambda: trainer.global_step * config.optimizer.accumulate)
    loaders: dict[str, Any] = {
        "train_dataloaders": BatchShare(batches, trainer.global_rank, trainer.world_size)
    }
    if task.validation is not None:
        loaders["val_dataloaders"] = task.validation
    with named_peers(config.run):
        trainer.fit(module, **loaders, ckpt_path=last if resume else None, weights_only=True)
    best = run_dir / BEST
    return FitResult(
        run_dir,
        last,
        best if best.exists() else None,
        trainer.global_step,
        task.steps,
        {name: float(value) for name, value in trainer.callback_metrics.items()},
    )


def _trainer(config: RunConfig, run_dir: Path, task: Task[Any], strategy: str | Strategy) -> L.Trainer:
    run, monitor = config.run, task.module.monitor
    callbacks: list[L.Callback] = [StopAtNan(task.named)]
    if run.ema_decay:
        callbacks.append(WeightAverage(run.ema_decay))
    if run.patience:
        callbacks.append(EarlyStopping(monitor, patience=run.patience, check_on_train_epoch_end=False))
    callbacks += [
        ModelCheckpoint(
            run_dir,
            BEST.removesuffix(".ckpt"),
            monitor=monitor,
            enable_version_counter=False,
            save_on_train_epoch_end=False,
        ),
        ModelCheckpoint(
            run_dir,
            "step-{step}",
            save_top_k=-1,
            every_n_train_steps=run.checkpoint_every,
            auto_insert_metric_name=False,
            save_on_train_epoch_end=False,
        ),
        LastCheckpoint(run_dir / LAST, run.checkpoint_minutes),
        StopOnDemand(),
    ]
    if run.keep_top:
        callbacks.append(
            TopCheckpoints(
                run_dir,
                "top-{step}",
                monitor=monitor,
                save_top_k=run.keep_top,
                auto_insert_metric_name=False,
                save_on_train_epoch_end=False,
            )
        )
    lines = ProgressLines.suitable()
    if lines:
        callbacks.append(ProgressLines(run.log_every, task.amount, task.unit, task.shown))
    else:
        callbacks.append(TQDMProgressBar(refresh_rate=run.log_every))
    return L.Trainer(
        accelerator="auto",
        devices=run.devices,
        num_nodes=run.nodes,
        strategy=strategy,
        precision=choose_precision(run.precision).precision,
        logger=TensorBoardLogger(run_dir, name="", version="events"),
        callbacks=callbacks,
        # The batch stream counts the epochs; if Lightning did, a run that has ended could not be extended.
        max_epochs=-1,
        max_steps=task.steps,
        max_time=timedelta(minutes=run.max_minutes) if run.max_minutes else None,
        val_check_interval=run.val_every * config.optimizer.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=run.log_every,
        accumulate_grad_batches=config.optimizer.accumulate,
        enable_model_summary=False,
        enable_progress_bar=not lines,
        default_root_dir=run_dir,
    )


def quieten() -> None:
    """Silence warnings of Lightning that do not apply here."""
    # The batch stream gets its place from the step count; Lightning expects loaders that save their own.
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
    # Windows are built a hundred times faster than they are trained on.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
    # Every process validates on the same batches.
    warnings.filterwarnings("ignore", message=".*sync_dist=True.*")
    # A run folder may be moved, and a run may be shorter than its logging interval.
    warnings.filterwarnings("ignore", message=".*The dirpath has changed.*")
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated.*")
    # Frozen parts, such as a text encoder, stay in evaluation mode.
    warnings.filterwarnings("ignore", message=".*module\\(s\\) in eval mode.*")
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
