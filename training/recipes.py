"""What each group of families brings to the shared commands: configuration, task, evaluation, export.

`tatumflow train`, `evaluate` and `export` look a model's family up here and use nothing else of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.bundle import MELODY_FILE
from tatumflow.engine.model.bundle import MANIFEST_FILE
from tatumflow.engine.rolls.bundle import ROLLS_FILE
from tatumflow.engine.separation.bundle import SEPARATOR_FILE
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.export.commands import export_checkpoint
from tatumflow.training.fit.checkpoint import checkpoint_file, read_checkpoint
from tatumflow.training.fit.note_task import note_task
from tatumflow.training.fit.settings import RunConfig, TrainConfig
from tatumflow.training.fit.task import Task
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.libraries import needed_libraries
from tatumflow.training.melodies.evaluation.figures import melody_figures
from tatumflow.training.melodies.export.export import export_melodies
from tatumflow.training.melodies.fit.settings import MelodyConfig
from tatumflow.training.melodies.fit.task import melody_task
from tatumflow.training.models import FAMILIES, MELODIES, ROLLS, SEPARATORS, SOUND_MODELS
from tatumflow.training.models.musicgen.manifest import MUSICGEN_FILE
from tatumflow.training.musicgen.settings import MusicgenRun
from tatumflow.training.rolls.evaluation.figures import evaluate_rolls
from tatumflow.training.rolls.export.export import NAME as ROLLS_NAME
from tatumflow.training.rolls.export.export import export_rolls
from tatumflow.training.rolls.fit.settings import RollConfig
from tatumflow.training.rolls.fit.task import roll_task
from tatumflow.training.separation.export.export import export_separator
from tatumflow.training.separation.fit.settings import SeparationConfig
from tatumflow.training.separation.fit.task import separation_task


@dataclass(frozen=True)
class Recipe:
    """A group of families that share configuration, data and commands.

    Attributes:
        families: Names of the families.
        config: The class of their training configurations.
        task: Builds the task of a run from its configuration, given whether it is resumed.
        export: Exports a checkpoint to a folder under a name, by default the family's, with a corpus to
            credit and to measure on, and returns a line about it.
        manifest: File name of the manifest of their exported models.
        evaluate: Returns the figures of a checkpoint, of the folder of a run or of an exported model, on a
            corpus; None where a command of its own measures them.
    """

    families: tuple[str, ...]
    config: type[RunConfig]
    task: Callable[[Any, bool], Task[Any]]
    export: Callable[[Path, Path, str, Path | None], str]
    manifest: str
    evaluate: Callable[[Path, Path | None, EvaluationSettings], Figures] | None = None


def _export_notes(checkpoint: Path, out: Path, name: str, corpus: Path | None) -> str:
    manifest = export_checkpoint(checkpoint, out, name or "tatumflow-live", corpus)
    return f"{manifest.name}: {len(manifest.graphs)} graphs, in {out}"


def _export_separator(checkpoint: Path, out: Path, name: str, corpus: Path | None) -> str:
    manifest = export_separator(checkpoint, out, name or "quartet-live", quartets=corpus)
    return f"{manifest.name}: {', '.join(manifest.stem_set.names)}, in {out}"


def _export_melodies(checkpoint: Path, out: Path, name: str, corpus: Path | None) -> str:
    manifest = export_melodies(checkpoint, out, name or "melodies", corpus)
    return (
        f"{manifest.name}: melodies of {manifest.bars} bars, {len(manifest.attributes)} attributes, in {out}"
    )


def _export_rolls(checkpoint: Path, out: Path, name: str, corpus: Path | None) -> str:
    manifest = export_rolls(checkpoint, out, name or ROLLS_NAME, corpus)
    return f"{manifest.name}: {len(manifest.graphs)} graphs, in {out}"


def _musicgen_task(config: MusicgenRun, resume: bool) -> Task[Any]:
    with needed_libraries("training,musicgen"):
        from tatumflow.training.musicgen.task import musicgen_task
    return musicgen_task(config)


def _export_musicgen(checkpoint: Path, out: Path, name: str, corpus: Path | None) -> str:
    with needed_libraries("training,musicgen"):
        from tatumflow.training.musicgen.export import export_musicgen
    manifest = export_musicgen(checkpoint, out, name or "musicgen-tuned", corpus)
    return f"{manifest.name}: fine-tuned from {manifest.base}, {manifest.licence}, in {out}"


def _evaluate_musicgen(model: Path, corpus: Path | None, settings: EvaluationSettings) -> Figures:
    with needed_libraries("training,musicgen"):
        from tatumflow.training.musicgen.evaluation import evaluate_musicgen
    return evaluate_musicgen(model, corpus, settings)


NOTES: Final = Recipe(tuple(FAMILIES), TrainConfig, note_task, _export_notes, MANIFEST_FILE)
SEPARATION: Final = Recipe(
    tuple(SEPARATORS),
    SeparationConfig,
    lambda config, _: separation_task(config),
    _export_separator,
    SEPARATOR_FILE,
)
MELODY: Final = Recipe(
    tuple(MELODIES),
    MelodyConfig,
    lambda config, _: melody_task(config),
    _export_melodies,
    MELODY_FILE,
    melody_figures,
)
MUSICGEN: Final = Recipe(
    tuple(SOUND_MODELS), MusicgenRun, _musicgen_task, _export_musicgen, MUSICGEN_FILE, _evaluate_musicgen
)
PIANO_ROLLS: Final = Recipe(
    tuple(ROLLS),
    RollConfig,
    lambda config, _: roll_task(config),
    _export_rolls,
    ROLLS_FILE,
    evaluate_rolls,
)
RECIPES: Final = (NOTES, SEPARATION, MELODY, PIANO_ROLLS, MUSICGEN)
"""One for each kind of data that models are trained on."""


def recipe_of(family: str) -> Recipe:
    """Return the recipe of a family.

    Raises:
        SettingError: if there is no such family.
    """
    for recipe in RECIPES:
        if family in recipe.families:
            return recipe
    known = ", ".join(name for recipe in RECIPES for name in recipe.families)
    raise SettingError(f"family: {family!r} is unknown; choose from {known}")


def recipe_of_model(path: Path) -> Recipe:
    """Return the recipe of a trained model: a checkpoint, the folder of a run, or an exported model.

    A folder without checkpoint or known manifest counts as a bundle of notes, whose reader says what is
    wrong.

    Raises:
        CheckpointError: if a checkpoint cannot be read.
    """
    if path.is_dir():
        for recipe in RECIPES:
            if (path / recipe.manifest).is_file():
                return recipe
        if not checkpoint_file(path).is_file():
            return NOTES
    with read_checkpoint(checkpoint_file(path)) as content:
        return recipe_of(content[CHECKPOINT_KEY]["family"])
