"""Figures of families that predict no single notes: measured by the family, written as for every model."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.figure_lines import compared_line, interval_line
from tatumflow.training.evaluate.figures_file import evaluation_command, write_figures
from tatumflow.training.evaluate.settings import EvaluationSettings

EvaluateFamily = Callable[[Path, Path | None, EvaluationSettings], Figures]
"""From a model, a corpus and what to measure to figures by name.

A figure is a number, a text, `{"value", "interval"}`, the figures of a `Comparison`, or a group of figures by
name."""


def evaluate_family(
    measure: EvaluateFamily,
    model: Path,
    corpus: Sequence[Path],
    settings: EvaluationSettings,
    json_path: Path | None = None,
) -> Figures:
    """Measure a model with its family's figures, and write them.

    Args:
        measure: The family's evaluation.
        model: A checkpoint, the folder of a run, or an exported model.
        corpus: At most one packed corpus.
        settings: What to measure.
        json_path: Where to write the figures, with the command that made them.

    Raises:
        SettingError: if several corpora are given, or the file cannot be written; and the family's errors.
    """
    if len(corpus) > 1:
        raise SettingError(f"--corpus: {len(corpus)} are given; give one packed corpus")
    if json_path is not None:
        check_output(json_path)
    figures = measure(model, corpus[0] if corpus else None, settings)
    figures = {"command": evaluation_command(model, settings), "model": model.name, **figures}
    if json_path is not None:
        write_figures(json_path, figures)
    return figures


def family_table(figures: Figures, prefix: str = "") -> Iterator[str]:
    """Write figures as lines of text, those of a group under its name."""
    for name, figure in figures.items():
        label = f"{prefix}{name}"
        if isinstance(figure, float):
            yield f"{label:<34} {figure:8.3f}"
        elif not isinstance(figure, dict):
            yield f"{label:<34} {figure!s:>8}"
        elif "generated" in figure:
            yield compared_line(label, figure)
        elif "interval" in figure:
            yield interval_line(label, figure["value"], figure["interval"])
        else:
            yield from family_table(figure, f"{label}, ")
