"""The training task of a model of melodies."""

import math

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.fit.task import Task
from tatumflow.training.melodies.data.batches import MelodyBatch, MelodyStream, SpreadStream
from tatumflow.training.melodies.data.windows import MelodyWindows
from tatumflow.training.melodies.fit.module import MelodyTrainer
from tatumflow.training.melodies.fit.settings import MelodyConfig
from tatumflow.training.models import family_named
from tatumflow.training.models.music_vae.config import MusicVaeConfig


def melody_task(config: MelodyConfig) -> Task[MelodyBatch]:
    """Prepare a run; an epoch is every training melody once.

    Raises:
        CorpusError: if the corpus cannot be read, or has no training melodies.
        SettingError: if it has no corpus of a given name.
    """
    data, run = config.data, config.run
    shape = family_named(config.family).config.model_validate(config.model)
    assert isinstance(shape, MusicVaeConfig)
    corpus = PackedCorpus.open(data.packed)
    train = MelodyWindows.read(corpus, "train", shape.bars, data.corpora, data.notes_per_bar, data.share)
    if not len(train):
        raise CorpusError(
            f"{data.packed}: has no training melodies of {shape.bars} bars; prepare a corpus with beats"
        )
    val = MelodyWindows.read(corpus, "val", shape.bars, data.corpora, data.notes_per_bar)
    accumulate = config.optimizer.accumulate
    steps = max(math.ceil(run.max_epochs * len(train) / (data.batch_size * accumulate)), 1)
    steps = min(steps, run.max_steps or steps)
    return Task(
        module=MelodyTrainer(config, shape.model_dump(mode="json"), steps),
        steps=steps,
        batches=lambda start: MelodyStream(
            train, data.batch_size, steps * accumulate, run.seed, data.augment, start, data.lengthened
        ),
        validation=SpreadStream(val, data.batch_size, run.val_batches) if len(val) else None,
        named=lambda batch: sorted({train.pieces[number].name for number in batch.piece.tolist()}),
        amount=data.batch_size * accumulate,
        unit="melodies",
        shown=("train/accuracy", "val/accuracy", "val/free_accuracy"),
    )
