"""The figures of a model of melodies, for `tatumflow evaluate`."""

from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.model.bundle import bundle_path
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.opened_model import open_model
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.melodies.data.windows import MelodyWindows
from tatumflow.training.melodies.evaluation.arithmetic import arithmetic
from tatumflow.training.melodies.evaluation.autoencoder import OpenedMelodies, open_melody_model
from tatumflow.training.melodies.evaluation.likelihood import likelihood
from tatumflow.training.melodies.evaluation.monotony import Ways, interpolate_pairs, monotony
from tatumflow.training.melodies.evaluation.reconstruction import Scored, reconstruction, teacher_forced
from tatumflow.training.melodies.export.knowledge import attributes_and_shares, chance_distance

RECONSTRUCTION: Final = "reconstruction"
INTERPOLATION: Final = "interpolation"
LIKELIHOOD: Final = "likelihood"
ARITHMETIC: Final = "arithmetic"
PARTS: Final = (RECONSTRUCTION, INTERPOLATION, ARITHMETIC, LIKELIHOOD)
"""Parts of an evaluation, as `--only` names them; without it all but the last, which needs a bundle."""

_PACKED: Final = Path("data/packed")
_MELODIES: Final = 1000


def melody_figures(path: Path, corpus: Path | None, settings: EvaluationSettings) -> Figures:
    """Measure a model of melodies on one side of a packed corpus.

    Args:
        path: A checkpoint, the folder of a run, or an exported model.
        corpus: The packed corpus; `data/packed` when None.
        settings: What to measure; `limit` is of the melodies to reconstruct, `primers` of the pairs to
            interpolate.

    Returns:
        Groups of figures by the name of their part.

    Raises:
        SettingError: if there is no such part.
        CorpusError: if the corpus has no melodies.
        CheckpointError, BundleError: if the model cannot be read.
    """
    for part in settings.only:
        if part not in PARTS:
            raise SettingError(f"--only: there is no part {part!r}; choose from {', '.join(PARTS)}")
    chosen = settings.only or PARTS[:-1]
    opened = open_melody_model(path)
    packed = PackedCorpus.open(corpus or _PACKED)
    windows = MelodyWindows.read(
        packed, settings.split, opened.autoencoder.bars, opened.corpora, opened.notes_per_bar
    )
    if not len(windows):
        raise CorpusError(
            f"{packed.path}: its {settings.split} side has no melodies of {opened.autoencoder.bars} bars; "
            "prepare a corpus with beats"
        )
    figures: Figures = {"bars": opened.autoencoder.bars, "melodies": len(windows)}
    if RECONSTRUCTION in chosen:
        figures[RECONSTRUCTION] = _reconstruction(opened, windows, settings)
    if INTERPOLATION in chosen or LIKELIHOOD in chosen:
        ways = interpolate_pairs(opened.autoencoder, *_pairs(windows, settings), settings.seed)
        if INTERPOLATION in chosen:
            figures[INTERPOLATION] = monotony(ways, settings.seed)
        if LIKELIHOOD in chosen:
            figures[LIKELIHOOD] = _likelihood(ways, settings)
    if ARITHMETIC in chosen:
        attributes, shares = attributes_and_shares(path, packed)
        if shares is not None:
            moved = arithmetic(opened.autoencoder, windows, attributes, shares, seed=settings.seed)
            figures[ARITHMETIC] = {**moved, "distance_chance": chance_distance(windows)}
    return figures


def _reconstruction(opened: OpenedMelodies, windows: MelodyWindows, settings: EvaluationSettings) -> Figures:
    numbers = windows.spread(settings.limit or _MELODIES)
    scored = Scored(windows.melodies(numbers), windows.piece[numbers])
    figures: Figures = {"free_running": reconstruction(opened.autoencoder, scored, settings.seed)}
    if opened.trained is not None:
        figures["teacher_forced"] = teacher_forced(opened.trained, scored, settings.seed)
    return figures


def _pairs(windows: MelodyWindows, settings: EvaluationSettings) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of melodies of different pieces, where there are several."""
    rng = np.random.default_rng(settings.seed)
    first = rng.integers(0, len(windows), settings.primers)
    last = rng.integers(0, len(windows), settings.primers)
    for _ in range(10):
        same = windows.piece[first] == windows.piece[last]
        last[same] = rng.integers(0, len(windows), np.count_nonzero(same))
    return windows.melodies(first), windows.melodies(last)


def _likelihood(ways: Ways, settings: EvaluationSettings) -> Figures:
    judge = open_model(bundle_path(""))
    return {"judge": judge.name, **likelihood(ways, judge.logits, settings.seed)}
