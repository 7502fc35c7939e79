"""The training task of roll models."""

import math
from typing import Any, Final

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.fit.task import Task
from tatumflow.training.models.fractal_midi.config import FractalMidiConfig
from tatumflow.training.rolls.data.batches import CropStream, RollBatch
from tatumflow.training.rolls.data.crops import RollCrops
from tatumflow.training.rolls.data.sections import Section, read_sections
from tatumflow.training.rolls.fit.module import RollTrainer
from tatumflow.training.rolls.fit.settings import RollConfig, RollData

_VAL_SEED: Final = 1_000_003


def roll_task(config: RollConfig) -> Task[RollBatch]:
    """Prepare a run; an epoch draws `augment_factor` crops for as many steps as a crop has.

    Raises:
        CorpusError: if the corpus cannot be read or has no training pieces.
        SettingError: if a setting does not fit the corpus or the model.
    """
    data, run = config.data, config.run
    corpus = PackedCorpus.open(data.packed)
    known = {info.name for info in corpus.index.corpora}
    for name in data.corpora:
        if name not in known:
            raise SettingError(f"data: corpus {name!r} is not packed; choose from {', '.join(sorted(known))}")
    beats, free = side_sections(corpus, "train", data)
    if not beats and not free:
        raise CorpusError(f"{data.packed}: has no training pieces; prepare the corpus again")
    length = sum(section.length for section in beats or free)
    per_epoch = data.augment_factor * length / data.width / data.batch_size
    accumulate = config.optimizer.accumulate
    steps = max(math.ceil(run.max_epochs * per_epoch / accumulate), 1)
    steps = min(steps, run.max_steps or steps)
    styles = corpus.index.styles
    module = RollTrainer(config, _model_settings(config, len(styles)), steps, styles)
    crops = RollCrops(beats, free, data.crops(True), run.seed, steps * accumulate * data.batch_size)
    val_beats, val_free = side_sections(corpus, "val", data)
    val = RollCrops(val_beats, val_free, data.crops(False), _VAL_SEED, run.val_batches * data.batch_size)
    return Task(
        module=module,
        steps=steps,
        batches=lambda start: CropStream(crops, data.batch_size, start, data.num_workers),
        validation=CropStream(val, data.batch_size) if val.sections else None,
        named=lambda batch: [crops.sections[i].name for i in batch.section.tolist()],
        amount=data.width * data.batch_size * accumulate,
        unit="steps of music",
        shown=("train/loss", "val/loss"),
    )


def side_sections(corpus: PackedCorpus, side: Split, data: RollData) -> tuple[list[Section], list[Section]]:
    """Return the sections of a side of the split on beats, and those in free time."""
    beats = read_sections(corpus, side, "beats", data.corpora)
    free = read_sections(corpus, side, "time", data.corpora) if data.free or not beats else []
    return beats, free


def _model_settings(config: RollConfig, styles: int) -> dict[str, Any]:
    given = {"num_styles": 1 + styles, **config.model}
    if given["num_styles"] < 1 + styles:
        raise SettingError(
            f"model.num_styles: {given['num_styles']} is too few styles; allowed: at least {1 + styles}"
        )
    return FractalMidiConfig.model_validate(given).model_dump(mode="json")
