"""SDR of an exported graph on held-out recordings."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from tatumflow.engine.separation.streaming import BlockModel
from tatumflow.training.separation.data.parts import Recording, mixture_of, stems_of
from tatumflow.training.separation.evaluation.separating import stream_through
from tatumflow.training.separation.ratios import sdr

MEASURED: Final = 8
"""Most recordings to measure, spread over all."""


def streamed_gains(model: BlockModel, recordings: Sequence[Recording]) -> dict[str, float]:
    """Return the gain in SDR of a stream's stems over the mixture, in decibels.

    Returns:
        `val_sdr_gain_STEM` for each stem: the signal-to-distortion ratio of a whole recording less that of
        the mixture in the stem's place, median over recordings.

    Raises:
        CorpusError: if a recording cannot be read.
    """
    count = min(MEASURED, len(recordings))
    rows: list[np.ndarray] = []
    for recording in (recordings[i * len(recordings) // count] for i in range(count)):
        parts = recording.read(0, recording.length)
        mixture, true = mixture_of(parts), torch.from_numpy(stems_of(parts))
        found = torch.from_numpy(stream_through(model, mixture))
        whole = torch.from_numpy(mixture)[None].expand_as(true)
        rows.append((sdr(found, true) - sdr(whole, true)).numpy())
    gains = np.nanmedian(np.stack(rows), axis=0)
    return {f"val_sdr_gain_{name}": float(gain) for name, gain in zip(model.stems.names, gains, strict=True)}
