"""The training task of a model that predicts notes: windows, Lightning module, steps."""

import math
from functools import partial
from typing import Any, Final

import torch

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.training.data.batches import Batch, BatchStream, batches_per_epoch, piece_names
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.stretches import Augmentation
from tatumflow.training.data.styles import style_profiles
from tatumflow.training.data.windows import TurnSettings, Windows
from tatumflow.training.fit.module import NoteTrainer
from tatumflow.training.fit.settings import TrainConfig
from tatumflow.training.fit.task import Task
from tatumflow.training.models import StyledModel, family_named

_VAL_SEED: Final = 1_000_003


def note_task(config: TrainConfig, resume: bool) -> Task[Batch]:
    """Build the training task of a model that predicts notes.

    Args:
        config: Configuration of the run.
        resume: Whether the run is resumed, with the style tables of its checkpoint.

    Raises:
        SettingError: if a setting does not fit the corpus or the model.
        CorpusError: if the corpus cannot be read or has no training pieces.
    """
    train, val = _windows(config)
    size, accumulate = config.data.batch_size, config.optimizer.accumulate
    steps = _planned_steps(config, batches_per_epoch(train, size))
    styles = train.corpus.index.styles
    corpora = [piece.corpus for piece in val.pieces]
    module = NoteTrainer(config, _model_settings(config, len(styles)), styles, steps, corpora)
    if isinstance(module.model, StyledModel) and not resume:
        module.model.initialize_styles(torch.from_numpy(style_profiles(train.corpus, config.run.seed)))
    shown = min(config.run.val_batches, batches_per_epoch(val, size)) if val.pieces else 0
    return Task(
        module=module,
        steps=steps,
        batches=lambda start: BatchStream(train, size, steps * accumulate, start, config.data.num_workers),
        validation=BatchStream(val, size, shown) if shown else None,
        named=partial(piece_names, train),
        amount=train.notes_per_epoch / max(len(train.epoch(0)), 1) * size * accumulate,
        unit="notes",
        shown=("train/nll_per_note", "val/nll_per_note"),
    )


def _windows(config: TrainConfig) -> tuple[Windows, Windows]:
    data = config.data
    corpus = PackedCorpus.open(data.packed)
    known = {info.name for info in corpus.index.corpora}
    for name in (*data.corpora, *data.repeat, *data.frames):
        if name not in known:
            raise SettingError(f"data: corpus {name!r} is not packed; choose from {', '.join(sorted(known))}")
    train = Windows(
        corpus,
        "train",
        data.seq_len,
        config.run.seed,
        data.repeat,
        Augmentation(frames=data.frames) if data.augment else None,
        TurnSettings(metre=data.metre, displaced=data.displaced, guests=data.guests, segments=data.segments),
        data.corpora,
    )
    if not train.pieces:
        raise CorpusError(
            f"{data.packed}: has no training pieces; add pieces, or prepare it with another --seed"
        )
    return train, Windows(corpus, "val", data.seq_len, _VAL_SEED, corpora=data.corpora)


def _planned_steps(config: TrainConfig, batches: int) -> int:
    steps = math.ceil(config.run.max_epochs * batches / config.optimizer.accumulate)
    return min(steps, config.run.max_steps or steps)


def _model_settings(config: TrainConfig, styles: int) -> dict[str, Any]:
    given = {"num_styles": 1 + styles, **config.model}
    if given["num_styles"] < 1 + styles:
        raise SettingError(
            f"model.num_styles: {given['num_styles']} is too few styles; allowed: at least {1 + styles}"
        )
    return family_named(config.family).config.model_validate(given).model_dump(mode="json")
