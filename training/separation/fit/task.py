"""The training task of separation."""

import math

from tatumflow.training.fit.task import Task
from tatumflow.training.models import family_named
from tatumflow.training.models.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.separation.data.batches import SegmentBatch, SegmentStream, SpreadStream
from tatumflow.training.separation.data.segments import RandomSegments, SequentialSegments
from tatumflow.training.separation.fit.module import SeparationTrainer
from tatumflow.training.separation.fit.settings import SeparationConfig
from tatumflow.training.separation.fit.sources import read_recordings


def separation_task(config: SeparationConfig) -> Task[SegmentBatch]:
    """Prepare a run; an epoch is as many excerpts as the recordings are long.

    Raises:
        CorpusError: if there are no recordings, or they cannot be read.
        SettingError: if they do not fit the model.
    """
    data, run = config.data, config.run
    shape = family_named(config.family).config.model_validate(config.model)
    assert isinstance(shape, TfswaUnetConfig)
    train = read_recordings(data, "train", shape.stem_set, shape.rate)
    val = read_recordings(data, "val", shape.stem_set, shape.rate)
    length = round(data.seconds * shape.rate)
    accumulate = config.optimizer.accumulate
    per_epoch = sum(recording.length for recording in train) / (length * data.batch_size)
    steps = max(math.ceil(run.max_epochs * per_epoch / accumulate), 1)
    steps = min(steps, run.max_steps or steps)
    segments = RandomSegments(
        train, length, steps * accumulate * data.batch_size, run.seed, data.drawn_from()
    )
    return Task(
        module=SeparationTrainer(config, shape.model_dump(mode="json"), steps),
        steps=steps,
        batches=lambda start: SegmentStream(segments, data.batch_size, start, data.num_workers),
        validation=SpreadStream(SequentialSegments(val, length), data.batch_size, run.val_batches),
        named=lambda batch: segments.names(batch.number.tolist()),
        amount=data.seconds * data.batch_size * accumulate,
        unit="s",
        shown=("train/loss", "val/loss", "val/sdr_gain"),
    )
