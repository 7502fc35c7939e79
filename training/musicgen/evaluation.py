"""Held-out cross-entropy of a MusicGen model's codes, by codebook, with intervals over pieces."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.training.evaluate.bootstrap import Interval, bootstrap, ratio
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.musicgen.checkpoint import evaluated_data, open_musicgen
from tatumflow.training.musicgen.recordings import read_recordings
from tatumflow.training.musicgen.segments import SegmentBatch, SequentialSegments
from tatumflow.training.musicgen.task import segment_frames
from tatumflow.training.musicgen.token_cache import TokenCache

_BATCH: Final = 1
"""Segments of a batch: as many of 30 s as a laptop's memory holds."""


def evaluate_musicgen(path: Path, corpus: Path | None, settings: EvaluationSettings) -> Figures:
    """Measure a model on the recordings of a side.

    Args:
        path: A checkpoint, the folder of a run, or an exported model.
        corpus: A folder of recordings with captions; by default that of the run.
        settings: Side, most segments, and seed of the intervals; without a run it also splits the recordings.

    Returns:
        Cross-entropy in nats a code, over all codebooks and of each, the same without captions, and where the
        model has adapters, how much they lower it.

    Raises:
        CheckpointError: if the model cannot be read.
        CorpusError: if the side has no recordings, or they cannot be read.
        SettingError: if an exported model is given without recordings.
    """
    trained = open_musicgen(path)
    data = evaluated_data(trained, corpus)
    split_seed = trained.seed if trained.data else settings.seed
    if settings.split == "test":
        raise SettingError("--split: recordings have the sides train and val; choose one of them")
    recordings = read_recordings(data.recordings, settings.split, data.val_share, split_seed)
    if not recordings:
        raise CorpusError(
            f"{data.recordings}: the {settings.split} side has no recordings; give more, or another --split"
        )
    codec = trained.model.codec
    coded = TokenCache(data.tokens, codec).coded(recordings)
    segments = SequentialSegments(coded, segment_frames(data.seconds, codec), _BATCH, settings.limit)
    return measure(trained.model.eval(), segments, settings.seed)


@torch.inference_mode()
def measure(model: Musicgen, segments: SequentialSegments, seed: int) -> Figures:
    """Return the figures of a model in evaluation mode on segments; see `evaluate_musicgen`."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    rows, silent, base = [], [], []
    pieces: list[str] = []
    for batch in segments:
        pieces += [segments.recordings[i].recording.piece for i in batch.recording.tolist()]
        rows.append(_losses(model, batch, captions=True))
        silent.append(_losses(model, batch, captions=False))
        with model.as_pretrained() as adapted:
            if adapted:
                base.append(_losses(model, batch, captions=True))
    own = np.concatenate(rows)
    figures = {
        "segments": len(own),
        "recordings": len(segments.recordings),
        **_by_codebook(own, pieces, seed),
        "without captions": _difference(np.concatenate(silent), own, pieces, seed),
    }
    if base:
        figures["without adapters"] = _difference(np.concatenate(base), own, pieces, seed)
    return figures


Rows = NDArray[np.float64]
"""Sums over frames and counts of each segment and codebook, (n, K, 2)."""


def _losses(model: Musicgen, batch: SegmentBatch, captions: bool) -> Rows:
    condition = model.encode_text(batch.captions)
    if not captions:
        condition = condition.without(torch.ones(len(batch.codes), dtype=torch.bool, device=model.device))
    sums, counts = model.losses(batch.codes.to(model.device), condition)
    return torch.stack([sums.double(), counts.double()], dim=-1).cpu().numpy()


def _by_codebook(rows: Rows, pieces: Sequence[str], seed: int) -> Figures:
    def figure(chosen: Rows) -> Figures:
        return value_and_interval(_mean(chosen.sum(axis=1), pieces, seed))

    codebooks = {f"codebook {k + 1}": figure(rows[:, k : k + 1]) for k in range(rows.shape[1])}
    return {"cross-entropy": figure(rows), **codebooks}


def _difference(other: Rows, own: Rows, pieces: Sequence[str], seed: int) -> Figures:
    """Return the cross-entropy of another condition, and how much higher it is than the model's own."""
    higher = own.sum(axis=1)
    higher[:, 0] = other.sum(axis=1)[:, 0] - higher[:, 0]
    return {
        "cross-entropy": value_and_interval(_mean(other.sum(axis=1), pieces, seed)),
        "higher by": value_and_interval(_mean(higher, pieces, seed)),
    }


def _mean(rows: Rows, pieces: Sequence[str], seed: int) -> Interval:
    """Return the mean of rows of sums and counts, (n, 2), with its interval over pieces."""
    return bootstrap(rows, ratio, groups=pieces, seed=seed)
