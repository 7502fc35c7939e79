"""Plots of figures, as SVG."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.pages.svg import plain, svg

GENERATED: Final = "#b4531f"
REAL: Final = "#2b6b7f"
_GREY: Final = "#8a8a8a"
_PITCH_CLASSES: Final = ("C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B")
_TOLERANCE: Final = 0.1


def ratios(figures: Mapping[str, Figures]) -> str:
    """Draw generated over real with its interval for each figure, beside the band of 10 % around 1."""
    figure, axes = _canvas(6.4, 0.32 * len(figures) + 0.9)
    axes.axvspan(1 - _TOLERANCE, 1 + _TOLERANCE, color=REAL, alpha=0.15, lw=0)
    axes.axvline(1, color=REAL, lw=1)
    for row, comparison in enumerate(figures.values()):
        low, high = comparison["interval"]
        axes.plot([low, high], [row, row], color=GENERATED, lw=2)
        axes.plot(comparison["ratio"], row, "o", color=GENERATED, ms=5)
    axes.set_yticks(range(len(figures)), [name.replace("_", " ") for name in figures])
    axes.invert_yaxis()
    axes.set(xlabel="generated / real, 95 % interval")
    return svg(figure)


def distributions(pairs: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    """Draw histograms of figures over primers, (generated, real) by name."""
    columns = 3
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.1 * rows), layout="constrained")
    for i, (name, values) in enumerate(pairs.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        known = [np.array(side)[np.isfinite(side)] for side in values]
        both = np.concatenate(known)
        edges = np.histogram_bin_edges(both, 16).tolist() if len(both) else [0.0, 1.0]
        for side, color in zip(known, (GENERATED, REAL), strict=True):
            axes.hist(side, edges, color=color, alpha=0.55)
        axes.set_title(name.replace("_", " "), fontsize=9)
        plain(axes)
    return svg(figure)


def pitch_classes(generated: Floats, real: Floats) -> str:
    """Draw pitch-class shares of all continuations together, each (12,)."""
    figure, axes = _canvas(6.4, 2.4)
    place = np.arange(len(_PITCH_CLASSES))
    for counts, shift, color, name in (
        (generated, -0.2, GENERATED, "generated"),
        (real, 0.2, REAL, "real"),
    ):
        axes.bar(place + shift, counts / max(counts.sum(), 1), 0.4, color=color, label=name)
    axes.set_xticks(place, _PITCH_CLASSES)
    axes.set(ylabel="share of notes")
    axes.legend(frameon=False)
    return svg(figure)


def transitions(generated: Floats, real: Floats) -> str:
    """Draw pitch-class transitions of all continuations together, each (12, 12), as shares of their row."""
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    for i, (matrix, name) in enumerate(((generated, "generated"), (real, "real"))):
        axes = figure.add_subplot(1, 2, i + 1)
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
        axes.imshow(shares, cmap="Greys", vmin=0)
        axes.set_xticks(range(12), _PITCH_CLASSES, fontsize=7)
        axes.set_yticks(range(12), _PITCH_CLASSES, fontsize=7)
        axes.set_title(name, fontsize=9)
    return svg(figure)


def bars(rows: Mapping[str, Mapping[str, tuple[float, Sequence[float] | None]]], label: str) -> str:
    """Draw groups of horizontal bars of named values, each with its interval, None for none."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    colors = dict(zip(names, (GENERATED, REAL, _GREY, "#c9a227", "#6b4c9a"), strict=False))
    figure, axes = _canvas(6.4, 0.24 * len(rows) * len(names) + 1.0)
    height = 0.8 / max(len(names), 1)
    for i, row in enumerate(rows.values()):
        for j, (name, (value, interval)) in enumerate(row.items()):
            place = i + (j - (len(names) - 1) / 2) * height
            known = value if np.isfinite(value) else 0.0
            axes.barh(place, known, 0.9 * height, color=colors[name], label=name if i == 0 else None)
            if interval is not None and np.isfinite(interval).all():
                axes.plot(interval, [place, place], color="black", lw=1)
    axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name in rows])
    axes.invert_yaxis()
    axes.set(xlabel=label)
    axes.legend(frameon=False, fontsize=8)
    return svg(figure)


def curves(panels: Mapping[str, Figures]) -> str:
    """Draw a small curve for each panel: `settings` as text, `values`, `intervals` and their `quantity`."""
    columns = 3
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.2 * rows), layout="constrained")
    for i, (name, panel) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        place = np.arange(len(panel["values"]))
        values, limits = np.array(panel["values"], float), np.array(panel["intervals"], float)
        axes.fill_between(place, limits[:, 0], limits[:, 1], color=GENERATED, alpha=0.2, lw=0)
        axes.plot(place, values, "o-", color=GENERATED, ms=4)
        axes.set_xticks(place, panel["settings"], fontsize=7)
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_ylabel(panel["quantity"], fontsize=7)
        plain(axes)
    return svg(figure)


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    return figure, axes
