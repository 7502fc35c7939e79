"""NLL and accuracy of a model on held-out notes, with bootstrap intervals by piece.

Teacher-forced: every note is predicted from the true notes before it in its window, and every field from the
true earlier fields of its note. Checkpoints and bundles are scored alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.tokens import FIELDS
from tatumflow.training.data.batches import collate
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.windows import Window, Windows
from tatumflow.training.evaluate.bootstrap import Interval, bootstrap
from tatumflow.training.evaluate.likelihood.bundle_nll import stream_states, window_logits, window_steps
from tatumflow.training.evaluate.likelihood.piece_sums import (
    COUNTS,
    Floats,
    empty_sums,
    field_accuracy,
    field_nats,
    nats_per_note,
    note_accuracy,
    tally,
)
from tatumflow.training.models import NoteModel


class WindowLogits(Protocol):
    """A source of logits, such as a checkpoint or a bundle."""

    def logits(self, window: Window) -> list[NDArray[np.float32]]:
        """Return the logits of each field after every step of a window of T steps, each (T, size)."""
        ...


class TorchLogits:
    """Logits of a torch model, whole windows at a time."""

    def __init__(self, model: nn.Module) -> None:
        """`model` is a `NoteModel` in evaluation mode."""
        self._model = cast(NoteModel, model)

    def logits(self, window: Window) -> list[NDArray[np.float32]]:
        """Return the logits of each field, each (T, size)."""
        batch = collate([window])
        with torch.inference_mode():
            states = self._model(batch)
            return [scores[0].float().numpy() for scores in self._model.field_logits(states, batch)]


class DecoderLogits:
    """Logits of a bundle's graphs, run through the key-value cache as in the engine."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def logits(self, window: Window) -> list[NDArray[np.float32]]:
        """Return the logits of each field, each (T, size)."""
        states = stream_states(self._decoder, window_steps(self._decoder, window))
        return window_logits(self._decoder, window, states)


@dataclass(frozen=True)
class NllReport:
    """Figures on one set of notes.

    Attributes:
        pieces: Number of pieces.
        notes: Number of predicted notes.
        fields: Nats per value, by field; a field that no note of the set has is left out.
        per_note: Sum of the fields' nats.
        per_token: Mean of the fields' nats.
        perplexity: Exponential of `per_token`.
        note_accuracy: Share of notes whose every known field is the likeliest value.
        field_accuracy: Share of values that are the likeliest, by field.
    """

    pieces: int
    notes: int
    fields: dict[str, Interval]
    per_note: Interval
    per_token: Interval
    perplexity: Interval
    note_accuracy: Interval
    field_accuracy: dict[str, Interval]


@dataclass(frozen=True)
class Evaluation:
    """Figures on one side of the split.

    Attributes:
        split: The side.
        seq_len: Steps in a window.
        windows: Number of windows read.
        total: Figures on all notes.
        corpora: Figures by corpus.
    """

    split: Split
    seq_len: int
    windows: int
    total: NllReport
    corpora: dict[str, NllReport]


def evaluate_nll(
    model: WindowLogits,
    corpus: PackedCorpus,
    split: Split = "val",
    *,
    seq_len: int = 1024,
    limit: int | None = None,
    corpora: tuple[str, ...] = (),
    seed: int = 0,
) -> Evaluation:
    """Predict the notes of one side of the split, without augmentation.

    Args:
        model: The model.
        corpus: The packed corpus.
        split: The side.
        seq_len: Steps in a window.
        limit: Most windows to read, drawn at random; all when None.
        corpora: Names of the corpora to read; all when empty.
        seed: Seed of the windows' turns, their order and the resampling.

    Raises:
        ValueError: if there is nothing to read.
    """
    epoch = Windows(corpus, split, seq_len, seed, corpora=corpora).epoch(0)
    count = len(epoch) if limit is None else min(limit, len(epoch))
    if not count:
        raise ValueError(f"the {split} side of the split holds no such pieces")
    sums = empty_sums(len(epoch.pieces))
    for i in range(count):
        window = epoch.window(i)
        tally(sums, window, model.logits(window))
    seen = sums[:, COUNTS].any(axis=1)
    names = np.array([piece.corpus for piece in epoch.pieces])
    return Evaluation(
        split,
        seq_len,
        count,
        _report(sums[seen], seed),
        {str(name): _report(sums[seen & (names == name)], seed) for name in np.unique(names[seen])},
    )


def _report(sums: Floats, seed: int) -> NllReport:
    """Return the figures of the rows of pieces, (n, 13)."""
    present = sums[:, COUNTS].sum(axis=0) > 0
    shown = [(i, name) for i, name in enumerate(FIELDS) if present[i]]

    def figure(statistic: Callable[[Floats], Floats]) -> Interval:
        return bootstrap(sums, statistic, seed=seed)

    def per_token(drawn: Floats) -> Floats:
        return nats_per_note(drawn) / len(shown)

    return NllReport(
        pieces=len(sums),
        notes=int(sums[:, COUNTS].sum(axis=0).max()),
        fields={name: figure(lambda drawn, i=i: field_nats(drawn)[:, i]) for i, name in shown},
        per_note=figure(nats_per_note),
        per_token=figure(per_token),
        perplexity=figure(lambda drawn: np.exp(per_token(drawn))),
        note_accuracy=figure(note_accuracy),
        field_accuracy={name: figure(lambda drawn, i=i: field_accuracy(drawn)[:, i]) for i, name in shown},
    )
