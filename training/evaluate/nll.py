"""How well a model foretells held-out notes: likelihoods and accuracy, with bootstrap intervals by piece.

Teacher-forced: every note is foretold from the true notes before it in its window, and every field from the
true earlier fields of its note. Any source of logits is judged alike, a checkpoint or a bundle.
"""

from dataclasses import dataclass
from typing import Final, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tatumflow.engine.decoder import Decoder
from tatumflow.engine.tokens import FIELDS
from tatumflow.training.batches import collate
from tatumflow.training.corpora.piece import Split
from tatumflow.training.evaluate.bundle_nll import stream_states, window_steps
from tatumflow.training.families import NoteModel
from tatumflow.training.packing import PackedCorpus
from tatumflow.training.windows import Window, Windows

_BOOTSTRAP_DRAWS: Final = 1000
_COVERAGE: Final = 0.95


class WindowLogits(Protocol):
    """A model as the evaluation sees it."""

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
    """Logits of a bundle's graphs, fed through the key-value cache as the engine feeds them."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def logits(self, window: Window) -> list[NDArray[np.float32]]:
        """Return the logits of each field, each (T, size)."""
        states = stream_states(self._decoder, window_steps(self._decoder, window))
        return [
            self._decoder.field_logits(
                field, states, np.ascontiguousarray(window.target[:, :field]), window.next_chord
            )
            for field in range(len(FIELDS))
        ]


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval over resampled pieces."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class NllReport:
    """Figures on one set of notes.

    Attributes:
        pieces: How many pieces the notes come from.
        notes: How many notes were foretold.
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
        windows: How many windows were read.
        total: Figures on all notes.
        corpora: Figures by corpus.
    """

    split: Split
    seq_len: int
    windows: int
    total: NllReport
    corpora: dict[str, NllReport]


_NLL: Final = slice(0, 4)
_COUNT: Final = slice(4, 8)
_HITS: Final = slice(8, 12)
_NOTE_HITS: Final = 12


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
    """Foretell the notes of one side of the split, without augmentation.

    Args:
        model: What foretells.
        corpus: The packed corpus.
        split: The side.
        seq_len: Steps in a window.
        limit: Windows to read at most, drawn at random; all when None.
        corpora: Names of the corpora to read; all when empty.
        seed: Seed of the windows' turns, their order and the resampling.

    Raises:
        ValueError: if there is nothing to read.
    """
    epoch = Windows(corpus, split, seq_len, seed, corpora=corpora).epoch(0)
    count = len(epoch) if limit is None else min(limit, len(epoch))
    if not count:
        raise ValueError(f"the {split} side of the split holds no such pieces")
    table = np.zeros((len(epoch.pieces), _NOTE_HITS + 1))
    for i in range(count):
        window = epoch.window(i)
        _tally(table, window, model.logits(window))
    seen = table[:, _COUNT].sum(axis=1) > 0
    names = np.array([piece.corpus for piece in epoch.pieces])
    return Evaluation(
        split,
        seq_len,
        count,
        _report(table[seen], seed),
        {str(name): _report(table[seen & (names == name)], seed) for name in np.unique(names[seen])},
    )


def _tally(table: NDArray[np.float64], window: Window, logits: list[NDArray[np.float32]]) -> None:
    """Add a window's figures to its pieces' rows: nats, counts, hits of each field, and whole notes hit."""
    scored = window.scored.any(axis=1)
    piece = window.piece[scored]
    whole = np.ones(len(piece), dtype=np.bool_)
    for field, scores in enumerate(logits):
        known = window.scored[scored, field]
        true = window.target[scored, field]
        own = scores[scored].astype(np.float64)
        highest = own.max(axis=1)
        total = highest + np.log(np.exp(own - highest[:, None]).sum(axis=1))
        nats = total - own[np.arange(len(own)), true]
        hit = own.argmax(axis=1) == true
        whole &= hit | ~known
        for column, values in ((field, nats), (4 + field, np.ones(len(own))), (8 + field, hit)):
            np.add.at(table[:, column], piece, np.where(known, values, 0))
    np.add.at(table[:, _NOTE_HITS], piece, whole)


def _report(table: NDArray[np.float64], seed: int) -> NllReport:
    """Turn pieces' rows, (n, 13), into figures."""
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=_BOOTSTRAP_DRAWS)
    # The first row is the set itself, the others are resampled.
    sums = np.concatenate([table.sum(axis=0)[None], weights @ table])
    present = sums[0, _COUNT] > 0
    counts = np.maximum(sums[:, _COUNT], 1)
    nll, hits = sums[:, _NLL] / counts, sums[:, _HITS] / counts
    per_note = nll[:, present].sum(axis=1)
    per_token = nll[:, present].mean(axis=1)
    shown = [(i, name) for i, name in enumerate(FIELDS) if present[i]]
    return NllReport(
        pieces=len(table),
        notes=int(sums[0, _COUNT].max()),
        fields={name: _interval(nll[:, i]) for i, name in shown},
        per_note=_interval(per_note),
        per_token=_interval(per_token),
        perplexity=_interval(np.exp(per_token)),
        note_accuracy=_interval(sums[:, _NOTE_HITS] / counts.max(axis=1)),
        field_accuracy={name: _interval(hits[:, i]) for i, name in shown},
    )


def _interval(values: NDArray[np.float64]) -> Interval:
    """Return the first value with the interval of the others."""
    low, high = np.quantile(values[1:], [(1 - _COVERAGE) / 2, (1 + _COVERAGE) / 2])
    return Interval(float(values[0]), float(low), float(high))
