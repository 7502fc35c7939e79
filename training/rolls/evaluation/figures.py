"""The figures of a roll model: likelihood, fills beside real bars and pastes, response to controls."""

import time
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.rolls.bundle import ROLLS_FILE, load_rolls
from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.onnx_levels import open_rolls
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import RollModel, sample_rolls
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.rolls.checkpoint import open_rolls_checkpoint
from tatumflow.training.rolls.data.crops import RollCrops, hide_in
from tatumflow.training.rolls.data.sections import read_sections
from tatumflow.training.rolls.evaluation.fills import HeldOut, fill_figures, held_out_rolls
from tatumflow.training.rolls.evaluation.likelihood import sampled_nll
from tatumflow.training.rolls.evaluation.response import guidance_figures, key_figures, temperature_figures
from tatumflow.training.rolls.fit.settings import RollData

PARTS: Final = ("nll", "fill", "control", "time")
"""Parts of the evaluation, for `--only`."""

_SCORED: Final = 32
_TIMED_WIDTH: Final = 512
_TRIED: Final = 20
"""Crops that are drawn for each roll that is needed: those without notes in a quarter are left out."""


def evaluate_rolls(path: Path, corpus: Path | None, settings: EvaluationSettings) -> Figures:
    """Measure a roll model.

    Args:
        path: A checkpoint, the folder of a run, or an exported model.
        corpus: The packed corpus; `data/packed` where None.
        settings: The side of the split; `primers` is the number of fills, and a fourth of it that of samples;
            `only` names parts of `PARTS`.

    Raises:
        BundleError: if an exported model cannot be read.
        CheckpointError: if a checkpoint cannot be read.
        CorpusError: if the corpus cannot be read.
        SettingError: if a part is unknown, or the corpus has no held-out beats.
    """
    for part in settings.only:
        if part not in PARTS:
            raise SettingError(f"--only: there is no part {part!r} of rolls; choose from {', '.join(PARTS)}")
    chosen = settings.only or PARTS
    model = open_roll_model(path)
    packed = PackedCorpus.open(corpus or Path("data/packed"))
    held = _held_out(model, packed, settings)
    steps = RollSampling().steps
    few = max(settings.primers // 4, 1)
    figures: Figures = {"rolls": len(held.rolls)}
    if "nll" in chosen:
        figures["nats_per_step"] = _likelihood(model, held, settings)
    if "fill" in chosen:
        figures["fill"] = fill_figures(model, held, RollSampling(), settings.seed)
    if "control" in chosen:
        figures |= temperature_figures(model, few, steps, settings.seed)
        figures |= guidance_figures(model, few, steps, settings.seed)
        figures |= key_figures(model, few, steps, settings.seed)
    if "time" in chosen:
        begun = time.perf_counter()
        sample_rolls(model, _TIMED_WIDTH, [RollConditions()], RollSampling(), settings.seed)
        figures[f"seconds_for_{_TIMED_WIDTH}_steps"] = time.perf_counter() - begun
    return figures


def open_roll_model(path: Path) -> RollModel:
    """Open an exported model, a checkpoint, or the best checkpoint of a run's folder, for sampling.

    Raises:
        BundleError: if an exported model cannot be read.
        CheckpointError: if a checkpoint cannot be read.
    """
    if (path / ROLLS_FILE).is_file():
        return open_rolls(load_rolls(path))
    if path.is_dir():
        best = path / "best.ckpt"
        path = best if best.is_file() else path / "last.ckpt"
    return open_rolls_checkpoint(path).sampled


def _held_out(model: RollModel, packed: PackedCorpus, settings: EvaluationSettings) -> HeldOut:
    """Return held-out rolls of the model's width on known beats."""
    sections = read_sections(packed, settings.split, "beats")
    if not sections:
        raise SettingError(
            f"{packed.path}: no piece of its {settings.split} side has beats; pack it with --beats"
        )
    drawn = RollData(width=max(model.window, 64), spans=0.0, free=0.0).crops(augmented=False)
    crops = RollCrops(sections, (), drawn, settings.seed, _TRIED * settings.primers)
    held = held_out_rolls(crops, settings.primers)
    if not held.rolls:
        raise SettingError(f"{packed.path}: no held-out piece has notes in {drawn.width} steps")
    return held


def _likelihood(model: RollModel, held: HeldOut, settings: EvaluationSettings) -> Figures:
    """Return the likelihood of whole rolls, and of their middle halves with the rest known."""
    start, stop = held.span
    rolls, conditions = held.rolls[:_SCORED], held.conditions[:_SCORED]
    hidden = {
        "whole": [(roll, np.zeros(roll.state.shape, np.bool_)) for roll in rolls],
        "fill": [hide_in(roll, start, stop) for roll in rolls],
    }
    return {
        name: sampled_nll(model.levels, found, conditions, RollSampling().steps, settings.seed)
        for name, found in hidden.items()
    }
