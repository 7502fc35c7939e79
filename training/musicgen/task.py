"""The training task of MusicGen."""

import math
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.training.fit.task import Task
from tatumflow.training.models import family_named
from tatumflow.training.models.musicgen.codec import Codec
from tatumflow.training.musicgen.module import MusicgenTrainer
from tatumflow.training.musicgen.recordings import Side, read_recordings
from tatumflow.training.musicgen.segments import RandomSegments, SegmentBatch, SequentialSegments
from tatumflow.training.musicgen.settings import MusicgenRun
from tatumflow.training.musicgen.sound import seconds_of
from tatumflow.training.musicgen.token_cache import TokenCache

_SIDES: Final[tuple[Side, Side]] = ("train", "val")


def musicgen_task(config: MusicgenRun) -> Task[SegmentBatch]:
    """Prepare a run; an epoch is as many segments as the recordings are long.

    Raises:
        CorpusError: if there are no recordings, or they or their captions cannot be read.
        BundleError: if the pretrained model is missing or damaged.
        SettingError: if the codes cannot be written.
    """
    data, run, accumulate = config.data, config.run, config.optimizer.accumulate
    shape = family_named(config.family).config.model_validate(config.model)
    train, val = (read_recordings(data.recordings, side, data.val_share, run.seed) for side in _SIDES)
    if not train:
        raise CorpusError(f"{data.recordings}: holds no recordings to train on; give more")
    seconds = sum(seconds_of(recording.path) for recording in train)
    per_epoch = seconds / (data.seconds * data.batch_size)
    steps = max(math.ceil(run.max_epochs * per_epoch / accumulate), 1)
    steps = min(steps, run.max_steps or steps)
    names = [recording.name for recording in train]
    module = MusicgenTrainer(config, shape.model_dump(mode="json"), steps, (names, seconds))
    codec = module.musicgen.codec
    cache = TokenCache(data.tokens, codec)
    coded = cache.coded(train)
    frames = segment_frames(data.seconds, codec)
    held_out = SequentialSegments(
        cache.coded(val), frames, data.batch_size, run.val_batches * data.batch_size
    )
    return Task(
        module=module,
        steps=steps,
        batches=lambda start: RandomSegments(
            coded, frames, data.batch_size, steps * accumulate, run.seed, start
        ),
        validation=held_out if len(held_out.recordings) else None,
        named=lambda batch: sorted({coded[number].recording.name for number in batch.recording.tolist()}),
        amount=data.seconds * data.batch_size * accumulate,
        unit="s",
        shown=("train/loss", "val/loss"),
    )


def segment_frames(seconds: float, codec: Codec) -> int:
    """Return the frames of a segment, at least one."""
    return max(round(seconds * codec.frame_rate), 1)
