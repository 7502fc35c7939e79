"""A small network that classifies stretches into two sets by their notes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.evaluate.metrics.pitch import PITCH_CLASSES
from tatumflow.training.evaluate.metrics.rhythm import INTERVAL_CLASSES, INTERVAL_EDGES

MOST_NOTES: Final = 96
"""Most notes of an input; a longer stretch is read in parts, whose scores are averaged."""

EPOCHS: Final = 12
_WIDTH: Final = 32
_HEADS: Final = 2
_BATCH: Final = 32
_RATE: Final = 3e-3
_DROPOUT: Final = 0.2
_TRANSPOSED: Final = 5
_WIDEST: Final = 25
_VELOCITIES: Final = 17
_SIZES: Final = (
    PITCH_HIGHEST - PITCH_LOWEST + 2,
    2 * _WIDEST + 2,
    INTERVAL_CLASSES + 1,
    INTERVAL_CLASSES + 1,
    _VELOCITIES + 1,
    PITCH_CLASSES + 1,
)
"""Values of each column, with one more for padding."""

_PITCH, _CLASS = 0, 5


def encoded(notes: NDArray[np.void]) -> NDArray[np.int64]:
    """Return notes as columns of values, (n, 6).

    Pitch, the step from the note before, the class of the seconds from it, that of the length, velocity in
    steps of 8 with 0 for unknown, and pitch class.
    """
    pitch = notes["pitch"].astype(np.int64)
    onset = notes["onset"].astype(np.float64)
    velocity = notes["velocity"].astype(np.int64)
    columns = (
        np.clip(pitch, PITCH_LOWEST, PITCH_HIGHEST) - PITCH_LOWEST,
        np.clip(np.diff(pitch, prepend=pitch[:1]), -_WIDEST, _WIDEST) + _WIDEST,
        np.searchsorted(INTERVAL_EDGES, np.diff(onset, prepend=0.0)),
        np.searchsorted(INTERVAL_EDGES, notes["duration"].astype(np.float64)),
        np.where(velocity == UNKNOWN_VELOCITY, 0, velocity // 8 + 1),
        pitch % PITCH_CLASSES,
    )
    return np.stack(columns, axis=1).astype(np.int64).reshape(-1, len(_SIZES))


class _Network(nn.Module):
    """Two convolutions over neighbouring notes, then one layer of attention for repetitions."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(size, _WIDTH) for size in _SIZES])
        self.near = nn.ModuleList([nn.Conv1d(_WIDTH, _WIDTH, 3, padding=1) for _ in range(2)])
        self.attention = nn.TransformerEncoderLayer(
            _WIDTH, _HEADS, 2 * _WIDTH, _DROPOUT, batch_first=True, norm_first=True
        )
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(2 * _WIDTH, 1)

    def forward(self, rows: Tensor, known: Tensor) -> Tensor:
        """Return the log odds of class 1, (B,), of rows (B, T, 6), where `known` (B, T) is no padding."""
        kept = known.unsqueeze(-1)
        parts = [embed(rows[..., i]) for i, embed in enumerate(self.embeddings)]
        states = self.dropout(torch.stack(parts).sum(dim=0)) * kept
        for convolve in self.near:
            states = (states + functional.gelu(convolve(states.transpose(1, 2)).transpose(1, 2))) * kept
        states = self.attention(states, src_key_padding_mask=~known)
        mean = (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)
        top = states.masked_fill(~kept, -1e4).amax(dim=1)
        return self.head(self.dropout(torch.cat([mean, top], dim=-1))).squeeze(-1)


def trained_scores(
    rows: Sequence[NDArray[np.int64]],
    label: NDArray[np.int64],
    held_out: Sequence[NDArray[np.int64]],
    seed: int,
    epochs: int | None = None,
) -> NDArray[np.float64]:
    """Train a network on encoded stretches and return the log odds of class 1 of others, (s,).

    Each epoch reads a random part of each stretch, transposed by up to five semitones.

    Args:
        rows: Encoded stretches to train on, (n,) of (m, 6).
        label: Class of each, 0 or 1, (n,).
        held_out: Encoded stretches to score.
        seed: Seed of weights, parts and order.
        epochs: Passes over the stretches; `EPOCHS` when None.
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(), _one_thread():
        torch.manual_seed(seed)
        network = _Network()
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.05)
        passes = EPOCHS if epochs is None else epochs
        batches = passes * -(-len(rows) // _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=max(batches, 2))
        for _ in range(passes):
            order = rng.permutation(len(rows))
            for start in range(0, len(order), _BATCH):
                chosen = order[start : start + _BATCH]
                parts = [_transposed(_part(rows[i], rng), rng) for i in chosen]
                odds = network(*_padded(parts))
                target = torch.as_tensor(label[chosen], dtype=torch.float32)
                loss = functional.binary_cross_entropy_with_logits(odds, target)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        network.eval()
        return np.array([_score(network, row) for row in held_out], dtype=np.float64)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _score(network: _Network, row: NDArray[np.int64]) -> float:
    count = max(-(-len(row) // MOST_NOTES), 1)
    with torch.inference_mode():
        return float(network(*_padded(np.array_split(row, count))).mean())


def _part(row: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    start = int(rng.integers(max(len(row) - MOST_NOTES, 0) + 1))
    return row[start : start + MOST_NOTES]


def _transposed(row: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    by = int(rng.integers(-_TRANSPOSED, _TRANSPOSED + 1))
    moved = row.copy()
    moved[:, _PITCH] = np.clip(row[:, _PITCH] + by, 0, _SIZES[_PITCH] - 2)
    moved[:, _CLASS] = (row[:, _CLASS] + by) % PITCH_CLASSES
    return moved


def _padded(parts: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    longest = max(max(map(len, parts)), 1)
    rows = np.tile(np.array(_SIZES) - 1, (len(parts), longest, 1))
    known = np.zeros((len(parts), longest), dtype=np.bool_)
    for i, part in enumerate(parts):
        rows[i, : len(part)] = part
        known[i, : len(part)] = True
    return torch.from_numpy(rows), torch.from_numpy(known)
