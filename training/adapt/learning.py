"""Training of an adapter on one player's windows, until time is up; the best adapter is kept."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any, Final

import lightning as L  # noqa: N812
import torch
from lightning.pytorch.callbacks import EarlyStopping

from tatumflow.training.adapt.adapter import Adapter, adapter_of, attach_adapter
from tatumflow.training.adapt.base_model import BaseModel
from tatumflow.training.adapt.errors import AdaptError
from tatumflow.training.data.batches import BatchStream, batches_per_epoch, piece_names
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.phrases import PhraseSettings
from tatumflow.training.data.stretches import Augmentation
from tatumflow.training.data.windows import TurnSettings, Windows
from tatumflow.training.fit.callbacks import StopAtNan, StopOnDemand
from tatumflow.training.fit.fit import quieten
from tatumflow.training.fit.module import NoteTrainer
from tatumflow.training.fit.precision import choose_precision
from tatumflow.training.fit.settings import DataSettings, OptimizerSettings, RunSettings, TrainConfig
from tatumflow.training.models.tatumflow.model import TatumFlow

_HELD_OUT_NLL: Final = "val/nll_per_note"
_ALWAYS_IN_STYLE: Final = TurnSettings(style_kept=1.0)
_VAL_SEED: Final = 1_000_003
_CLOSE_TO_HOME: Final = Augmentation(
    lowest=-2, highest=2, tempo=0.1, softer=0, louder=0, contrast=0.0, unframed=0.0
)
"""Augmentation against memorizing a small folder. Registers, and the velocities of the player's own keyboard,
are part of the style and stay."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LearningSettings:
    """How an adapter is trained.

    Attributes:
        minutes: Most minutes of the whole adaptation, and of `learn` without `seconds`.
        rank: Rank of the adapter.
        alpha: Its weight is `alpha` / `rank`.
        lr: Learning rate of AdamW after `warmup_steps`; it does not fall, since the clock ends the training.
        warmup_steps: Steps over which the learning rate rises.
        batch_size: Windows in a batch.
        max_epochs: Most passes over the player's notes.
        val_every: Steps between validations.
        val_windows: Most windows of a validation.
        patience: Validations without improvement before stopping.
        seed: Seed of everything random.
    """

    minutes: float = 5.0
    rank: int = 8
    alpha: int = 16
    lr: float = 5e-4
    warmup_steps: int = 10
    batch_size: int = 2
    max_epochs: int = 50
    val_every: int = 20
    val_windows: int = 8
    patience: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Learned:
    """A trained adapter and its training.

    Attributes:
        adapter: The adapter with the best validation.
        steps: Optimizer steps done.
        best_step: The step of the adapter.
        minutes: Minutes they took, validations included.
        before: Held-out NLL in nats a note before training, not conditioned on phrases.
        after: The same with the adapter.
    """

    adapter: Adapter
    steps: int
    best_step: int
    minutes: float
    before: float
    after: float


def learn(
    base: BaseModel,
    corpus: PackedCorpus,
    settings: LearningSettings,
    progress: Progress = lambda _: None,
    seconds: float | None = None,
) -> Learned:
    """Train an adapter until time is up, the held-out NLL falls no more, or Ctrl-C is pressed.

    Args:
        base: The frozen base; its style ids are those of the corpus.
        corpus: The player's music, some of it held out.
        settings: How to train.
        progress: Called with step and NLL after each step.
        seconds: Most seconds it may take, validations included; all of `settings.minutes` when None.

    Raises:
        AdaptError: if the adapter never lowers the held-out NLL below the base's.
        TrainingError: if the loss stops being finite.
    """
    begun = time.monotonic()
    end = begun + (60 * settings.minutes if seconds is None else seconds)
    quieten()
    L.seed_everything(settings.seed, verbose=False)
    seq_len, longest = base.model.config.max_seq_len, base.model.config.phrase_len
    phrases = PhraseSettings(min(PhraseSettings().shortest, longest), longest)
    val = Windows(corpus, "val", seq_len, _VAL_SEED, turns=_ALWAYS_IN_STYLE, phrases=phrases)
    train = replace(val, split="train", seed=settings.seed, augment=_CLOSE_TO_HOME)
    per_epoch = batches_per_epoch(train, settings.batch_size)
    steps = settings.max_epochs * per_epoch
    module = NoteTrainer(
        _config(base, corpus, settings), base.model.config.model_dump(mode="json"), base.styles[1:], steps
    )
    module.model.load_state_dict(base.model.state_dict())
    assert isinstance(module.model, TatumFlow)
    attach_adapter(module.model, settings.rank, settings.alpha)
    best = _BestAdapter(base.model)
    until = _Until(end)
    trainer = _trainer(
        settings, steps, [StopAtNan(partial(piece_names, train)), best, until, _Report(progress, best)]
    )
    shown = min(settings.val_windows // settings.batch_size, batches_per_epoch(val, settings.batch_size))
    held_out = BatchStream(val, settings.batch_size, max(shown, 1))
    trainer.validate(module, held_out, verbose=False)
    before = best.nll
    until.validation = time.monotonic() - begun
    trainer.fit(module, BatchStream(train, settings.batch_size, steps), held_out)
    done = trainer.global_step
    if best.validated != done:
        # The steps after the last validation count too.
        trainer.validate(module, held_out, verbose=False)
    if not best.nll < before:
        raise AdaptError(
            f"after {done} steps the held-out NLL is no lower ({best.nll:.2f} nats a note); "
            "give more music, or more --minutes"
        )
    minutes = (time.monotonic() - begun) / 60
    return Learned(best.adapter, done, best.step, minutes, before, best.nll)


class _BestAdapter(L.Callback):
    """Callback that keeps the adapter with the best validation."""

    def __init__(self, base: TatumFlow) -> None:
        self._base = base
        self.adapter = Adapter({})
        self.nll = inf
        self.step = 0
        self.validated = 0
        """Step of the last validation."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the adapter if its NLL is the lowest so far."""
        nll = float(trainer.callback_metrics[_HELD_OUT_NLL])
        self.validated = trainer.global_step
        if nll < self.nll:
            assert isinstance(pl_module, NoteTrainer)
            assert isinstance(pl_module.model, TatumFlow)
            self.nll, self.step = nll, trainer.global_step
            self.adapter = adapter_of(pl_module.model, self._base)


class _Until(L.Callback):
    """Callback that ends the training while there is time for one more validation.

    Attributes:
        validation: Seconds that a validation takes.
    """

    def __init__(self, end: float) -> None:
        """`end` is a time of `time.monotonic`."""
        self._end = end
        self._stepped = 0.0
        self.validation = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start to time the first step."""
        self._stepped = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,  # noqa: ANN401 (Lightning's own type)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Stop if another step as long as this one would leave too little time."""
        now = time.monotonic()
        if now + (now - self._stepped) + self.validation > self._end:
            trainer.should_stop = True
        self._stepped = now


class _Report(L.Callback):
    """Callback that reports the progress of the training."""

    def __init__(self, progress: Progress, best: _BestAdapter) -> None:
        self._progress, self._best = progress, best

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,  # noqa: ANN401 (Lightning's own type)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Report step and NLL."""
        training = float(trainer.callback_metrics["train/nll_per_note"])
        self._progress(
            f"step {trainer.global_step}, nats a note: training {training:.2f}, held out {self._best.nll:.2f}"
        )


def _config(base: BaseModel, corpus: PackedCorpus, settings: LearningSettings) -> TrainConfig:
    return TrainConfig(
        family="tatumflow",
        model=base.model.config.model_dump(mode="json"),
        data=DataSettings(
            packed=corpus.path, seq_len=base.model.config.max_seq_len, batch_size=settings.batch_size
        ),
        optimizer=OptimizerSettings(
            lr=settings.lr, weight_decay=0.0, warmup_steps=settings.warmup_steps, hold_share=1.0
        ),
        run=RunSettings(ema_decay=0.0, seed=settings.seed, precision=choose_precision().precision),
    )


def _trainer(settings: LearningSettings, steps: int, callbacks: list[L.Callback]) -> L.Trainer:
    stopping = EarlyStopping(_HELD_OUT_NLL, patience=settings.patience, check_on_train_epoch_end=False)
    return L.Trainer(
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=1,
        precision=choose_precision().precision,
        logger=False,
        # SIGTERM ends the whole command at once.
        callbacks=[*callbacks, stopping, StopOnDemand((signal.SIGINT,))],
        max_epochs=1,
        max_steps=steps,
        val_check_interval=settings.val_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
