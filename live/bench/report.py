"""Figures of a benchmark run: a table for people, JSON for the record."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole

_FILE_WIDTH: Final = 120
_WHOLE_FROM: Final = 1000.0


@dataclass(frozen=True)
class Target:
    """Upper bounds of a figure and the lower bound of its mean; None for no bound."""

    p50: float | None = None
    p99: float | None = None
    max: float | None = None
    least_mean: float | None = None

    def __str__(self) -> str:
        bounds = [(name, value) for name, value in asdict(self).items() if value is not None]
        return ", ".join(
            f"mean >= {value:g}" if name == "least_mean" else f"{name} <= {value:g}" for name, value in bounds
        )


@dataclass(frozen=True)
class Figure:
    """One measured quantity over many samples.

    Attributes:
        name: What was measured.
        unit: Its unit.
        count: Samples.
        mean: Their mean.
        p50: Median.
        p99: 99th percentile.
        max: Greatest.
        target: Its target.
    """

    name: str
    unit: str
    count: int
    mean: float
    p50: float
    p99: float
    max: float
    target: Target

    @classmethod
    def of(cls, name: str, unit: str, samples: ArrayLike, target: Target) -> "Figure":
        """Summarize samples, (n,), n at least 1."""
        values = np.asarray(samples, dtype=np.float64)
        p50, p99 = np.percentile(values, [50, 99])
        mean, most = float(values.mean()), float(values.max())
        return cls(name, unit, len(values), mean, float(p50), float(p99), most, target)

    @property
    def met(self) -> bool:
        """Whether every part of the target is reached."""
        bounds = asdict(self.target)
        least = bounds.pop("least_mean")
        below = all(bound is None or getattr(self, name) <= bound for name, bound in bounds.items())
        return below and (least is None or self.mean >= least)


def print_figures(figures: Sequence[Figure], model: str, console: Console | None = None) -> None:
    """Print figures as a table."""
    table = Table(title=f"TatumFlow on this machine, model {model}", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("what", "mean", "p50", "p99", "max", "samples", "target", ""):
        words = heading in ("what", "target", "")
        # On a narrow screen names and targets go on in the next line, numbers stay whole.
        table.add_column(heading, justify="left" if words else "right", min_width=8 if words else 6)
    for figure in figures:
        table.add_row(
            f"{figure.name.replace('_', ' ')} ({figure.unit})",
            *(_number(value) for value in (figure.mean, figure.p50, figure.p99, figure.max)),
            str(figure.count),
            str(figure.target),
            _verdict(figure),
        )
    if console is None:
        # A pipe or a file has no width of its own.
        console = Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
    console.print(table)


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < _WHOLE_FROM else f"{value:.0f}"


def _verdict(figure: Figure) -> str:
    if figure.target == Target():
        return ""
    return "met" if figure.met else "missed"


def write_figures(figures: Sequence[Figure], model: str, command: str, path: Path) -> None:
    """Write figures as JSON: an object for each, under its name and unit, such as "note_cost_ms".

    Raises:
        SettingError: if the file cannot be written.
    """
    content: dict[str, object] = {
        "command": command,
        "model": model,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for figure in figures:
        content[f"{figure.name}_{figure.unit}"] = asdict(figure) | {"met": figure.met}
    try:
        write_whole(path, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise SettingError(f"{path}: cannot be written ({error.strerror}); give another file") from None
