"""Figures of a separation model on whole recordings, beside an oracle and the mixture itself."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.separation.stft import Samples
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.data.parts import Parts, Recording, mixture_of, stems_of
from tatumflow.training.separation.evaluation.bss import bss_figures
from tatumflow.training.separation.evaluation.oracle import ideal_ratio_mask
from tatumflow.training.separation.evaluation.separating import separate_stream, separate_whole
from tatumflow.training.separation.ratios import si_sdr

MIXTURE_ROW: Final = "mixture"
ORACLE_ROW: Final = "oracle"

Progress = Callable[[str], None]
Medians = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class StemFigures:
    """Medians over recordings of their medians over seconds, in decibels.

    Attributes:
        names: Names of the stems.
        rows: For "offline", "streaming" if the model is causal, "oracle" and "mixture": by name of a figure,
            one for each stem. "sdr_gain" is the median of a recording's SDR less that of the mixture.
        recordings: Number of recordings.
        seconds: Their total length.
    """

    names: tuple[str, ...]
    rows: dict[str, dict[str, tuple[float, ...]]]
    recordings: int
    seconds: float

    def plain(self) -> dict[str, Any]:
        """Return the figures as plain values; None for NaN."""
        stems = {
            row: {
                name: {
                    stem: None if np.isnan(value) else round(value, 3)
                    for stem, value in zip(self.names, values, strict=True)
                }
                for name, values in figures.items()
            }
            for row, figures in self.rows.items()
        }
        return {"recordings": self.recordings, "seconds": round(self.seconds, 1), **stems}


def stem_figures(
    model: TfswaUnet, recordings: Sequence[Recording], progress: Progress = lambda _: None
) -> StemFigures:
    """Separate whole recordings and measure the stems.

    Args:
        model: In evaluation mode.
        recordings: In the model's stems, at its rate; at least one.
        progress: Called with the number and name of each recording.

    Raises:
        TatumFlowError: if museval is missing.
        CorpusError: if a recording cannot be read.
    """
    measured: dict[str, list[Medians]] = {}
    for number, recording in enumerate(recordings):
        progress(f"{number + 1} of {len(recordings)}: {recording.name}")
        parts = recording.read(0, recording.length)
        for row, found in _separations(model, parts):
            measured.setdefault(row, []).append(_measured(found, stems_of(parts), recording.rate))
    for figures in measured.values():
        for own, mixture in zip(figures, measured[MIXTURE_ROW], strict=True):
            own["sdr_gain"] = own["sdr"] - mixture["sdr"]
    rows = {row: _medians(figures) for row, figures in measured.items()}
    seconds = sum(recording.length / recording.rate for recording in recordings)
    return StemFigures(model.config.stem_set.names, rows, len(recordings), seconds)


def table(figures: StemFigures) -> Iterator[str]:
    """Write the figures as lines of text."""
    yield f"{'':<12}{'':<10}" + "".join(f"{stem:>10}" for stem in figures.names)
    for row, by_name in figures.rows.items():
        for name, values in by_name.items():
            yield f"{row:<12}{name:<10}" + "".join(f"{value:>10.2f}" for value in values)


def write_figures(path: Path, figures: StemFigures, header: dict[str, Any]) -> None:
    """Write figures as JSON below a header.

    Raises:
        SettingError: if the file cannot be written.
    """
    content = json.dumps({**header, **figures.plain()}, indent=1, allow_nan=False)
    try:
        write_whole(path, content + "\n")
    except OSError as error:
        raise SettingError(f"{path}: cannot be written ({error.strerror}); give another file") from None


def _separations(model: TfswaUnet, parts: Parts) -> Iterator[tuple[str, Samples]]:
    mixture = mixture_of(parts)
    yield "offline", separate_whole(model, mixture)
    if model.config.causal:
        yield "streaming", separate_stream(model, mixture)
    yield ORACLE_ROW, ideal_ratio_mask(parts, model.config.stft)
    yield MIXTURE_ROW, np.repeat(mixture[None], len(parts) - 1, axis=0)


def _measured(found: Samples, true: Samples, rate: int) -> Medians:
    ratio = si_sdr(
        torch.from_numpy(np.ascontiguousarray(found)), torch.from_numpy(np.ascontiguousarray(true))
    )
    return {**bss_figures(found, true, rate).medians(), "si_sdr": ratio.numpy().astype(np.float64)}


def _medians(figures: Sequence[Medians]) -> dict[str, tuple[float, ...]]:
    rows: dict[str, tuple[float, ...]] = {}
    for name in figures[0]:
        values = np.array([one[name] for one in figures])
        known = [column[np.isfinite(column)] for column in values.T]
        rows[name] = tuple(float(np.median(column)) if column.size else float("nan") for column in known)
    return rows
