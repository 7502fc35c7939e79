"""Statistics of a corpus as a page with histograms, in one file."""

import base64
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.training.data.corpora.statistics import CorpusStatistics, totals
from tatumflow.training.pages.page import render
from tatumflow.training.pages.svg import plain, svg

_BINS: Final = 30
_COLOR: Final = "#2b6b7f"
_OTHER_COLOR: Final = "#b4531f"
_LARGEST_SHOWN: Final = 0.99
"""Quantile up to which a histogram goes; what lies beyond is counted in its last bin."""


def write_statistics_page(statistics: CorpusStatistics, path: Path, title: str, command: str) -> None:
    """Write the page.

    Args:
        statistics: The statistics.
        path: The file; its folder is made.
        title: Heading.
        command: The command that makes it, to show.

    Raises:
        CorpusError: if it cannot be written.
    """
    page = render(
        "statistics.html",
        "tatumflow.training.data",
        title=title,
        command=command,
        statistics=statistics,
        totals=totals(statistics),
        pieces=_encoded(_piece_histograms(statistics)),
        notes=_encoded(_note_histograms(statistics)),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def _piece_histograms(statistics: CorpusStatistics) -> Figure:
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    minutes = statistics.piece_seconds / 60
    _histogram(axes[0], minutes, "length", "minutes")
    _histogram(axes[1], statistics.piece_notes, "notes", "notes of a piece")
    _histogram(axes[2], statistics.piece_notes / statistics.piece_seconds, "density", "notes a second")
    _histogram(axes[3], statistics.tempos, "tempo", "beats a minute")
    edges = np.arange(PITCH_LOWEST, PITCH_HIGHEST + 3, 2) - 0.5
    for column, color, name in ((0, _COLOR, "lowest"), (1, _OTHER_COLOR, "highest")):
        axes[4].hist(statistics.piece_pitches[:, column], edges.tolist(), color=color, alpha=0.7, label=name)
    axes[4].set(title="range", xlabel="MIDI pitch")
    axes[4].legend(loc="upper center", fontsize=8, frameon=False)
    _histogram(axes[5], np.ptp(statistics.piece_pitches, axis=1), "width of the range", "semitones")
    _finish(axes)
    return figure


def _note_histograms(statistics: CorpusStatistics) -> Figure:
    figure = Figure(figsize=(9.6, 2.8), layout="constrained")
    axes = figure.subplots(1, 2)
    axes[0].bar(np.arange(PITCH_LOWEST, PITCH_HIGHEST + 1), statistics.pitch_counts, width=1.0, color=_COLOR)
    axes[0].set(title="pitch", xlabel="MIDI pitch")
    axes[1].stairs(statistics.interval_counts[1:], statistics.interval_edges[1:], fill=True, color=_COLOR)
    axes[1].set(title="time between onsets", xlabel="seconds, from 10 ms", xscale="log")
    _finish(axes)
    return figure


def _histogram(axes: Axes, values: NDArray[np.floating | np.integer], title: str, label: str) -> None:
    axes.set(title=title, xlabel=label)
    if not len(values):
        axes.text(0.5, 0.5, "unknown", ha="center", transform=axes.transAxes)
        return
    most = float(np.quantile(values, _LARGEST_SHOWN))
    axes.hist(np.minimum(values, most), _BINS, color=_COLOR)


def _finish(axes: NDArray[np.object_]) -> None:
    for one in axes:
        one.title.set_fontsize(9)
        one.xaxis.label.set_fontsize(8)
        plain(one)


def _encoded(figure: Figure) -> str:
    return base64.b64encode(svg(figure).encode()).decode()
