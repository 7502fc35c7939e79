"""Figures of a model for a portfolio, read from the files that the commands wrote, never stated here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.model_folder import Metric
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.report.families_table import figure_cell, read_figures

_TIMES: Final = ("p50", "p99", "max")


@dataclass(frozen=True)
class FigureRow:
    """A figure.

    Attributes:
        name: What was measured.
        value: Its value as text, with its interval and what players do where the file has them.
        beside: Its target, and whether that is met; empty without one.
    """

    name: str
    value: str
    beside: str = ""


@dataclass(frozen=True)
class FigureTable:
    """The figures that one command measured.

    Attributes:
        source: Name of the file.
        command: The command.
        model: The model.
        rows: The figures.
    """

    source: str
    command: str
    model: str
    rows: tuple[FigureRow, ...]


def read_tables(files: Sequence[Path]) -> list[FigureTable]:
    """Read the files of figures that `--json` of `tatumflow bench` and `tatumflow evaluate` wrote.

    Raises:
        SettingError: if a file cannot be read, or lacks the command that made it or figures.
    """
    tables: list[FigureTable] = []
    for file in files:
        figures = read_figures(file)
        command = figures.get("command")
        if not isinstance(command, str) or not command:
            raise SettingError(f"{file}: does not name its command; write it anew with `--json`")
        rows = tuple(_rows(figures, ""))
        if not rows:
            raise SettingError(f"{file}: holds no figures; give a file of `tatumflow evaluate --json`")
        tables.append(FigureTable(file.name, command, str(figures["model"]), rows))
    return tables


def metric_tables(name: str, metrics: Sequence[Metric]) -> list[FigureTable]:
    """Return the figures of a model's manifest, a table for each command."""
    by_command: dict[str, list[FigureRow]] = {}
    for metric in metrics:
        value = f"{metric.value:,.0f}" if metric.value.is_integer() else f"{metric.value:.4g}"
        row = FigureRow(_words(metric.name), value)
        by_command.setdefault(metric.command, []).append(row)
    return [FigureTable("manifest.json", command, name, tuple(rows)) for command, rows in by_command.items()]


def _rows(group: Figures, prefix: str) -> Iterator[FigureRow]:
    """Yield the figures of a group and of the groups inside it; what is no figure is passed over."""
    for name, value in group.items():
        if not isinstance(value, dict):
            continue
        title = f"{prefix}{_words(str(name))}"
        if _is_timing(value):
            parts = " / ".join(f"{value[part]:.2f}" for part in _TIMES)
            yield FigureRow(title, f"{parts} (p50 / p99 / max)", _target(value))
            continue
        text = figure_cell(value)
        if text != "-":
            yield FigureRow(title, text)
        else:
            yield from _rows(value, f"{title}: ")


def _is_timing(value: Figures) -> bool:
    return all(isinstance(value.get(part), int | float) and np.isfinite(value[part]) for part in _TIMES)


def _target(value: Figures) -> str:
    target = value.get("target")
    bounds = {} if not isinstance(target, dict) else {k: v for k, v in target.items() if v is not None}
    if not bounds:
        return ""
    text = ", ".join(
        f"mean ≥ {bound:g}" if name == "least_mean" else f"{name} ≤ {bound:g}"
        for name, bound in bounds.items()
    )
    return f"{text}: {'met' if value.get('met') else 'missed'}"


def _words(name: str) -> str:
    return name.replace("_", " ")
