"""Training of the chord estimator's two networks on the Weimar Jazz Database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.harmony.chords import NO_CHORD, QUALITIES
from tatumflow.engine.harmony.estimator import (
    FRAME,
    WHOLE,
    Windows,
    chord_windows,
    chroma_windows,
)
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line
from tatumflow.training.harmony.accompaniment import STYLES, Style, accompany


@dataclass(frozen=True)
class FitSettings:
    """How to fit.

    Attributes:
        chroma: Width of the first network, which reads notes.
        chords: Width of the second, which reads the first one's chords.
        epochs: Passes over the solos of each network; each renders them anew.
        share: Share of the frames that a pass reads; neighboring ones are nearly equal.
        batch: Frames in a batch.
        rate: Highest learning rate, after 50 steps; it falls to 0.
        decay: Weight decay.
        dropout: Dropout of the hidden layers.
        seed: Seed of everything random.
    """

    chroma: int = 128
    chords: int = 32
    epochs: tuple[int, int] = (15, 8)
    share: float = 0.3
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.03
    dropout: float = 0.2
    seed: int = 0


class SharedRootNetwork(nn.Module):
    """Two hidden layers and a linear one, with the same weights for every root.

    Args:
        windows: Windows of the input.
        depth: Values for each window and pitch class.
        width: Width of the hidden layer.
        dropout: Dropout of the hidden layers.
    """

    rotations: Tensor

    def __init__(self, windows: int, depth: int, width: int, dropout: float) -> None:
        super().__init__()
        self.shape = (windows, 12, depth, width)
        self.hidden = nn.Linear(windows * 12 * depth, width)
        self.middle = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, len(QUALITIES))
        rotations = (torch.arange(12)[:, None] + torch.arange(12)) % 12
        self.register_buffer("rotations", rotations, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return scores (frames, 96) from inputs (frames, windows, 12, depth)."""
        rotated = inputs[:, :, self.rotations].transpose(1, 2).flatten(2)
        hidden = functional.relu(self.hidden(rotated))
        hidden = hidden + functional.relu(self.middle(self.dropout(hidden)))
        return self.out(self.dropout(hidden)).flatten(1)

    def arrays(self, name: str) -> dict[str, NDArray[np.float16]]:
        """Return the weights in the engine's form, with a name before each."""
        weights = {
            "hidden": self.hidden.weight.T.reshape(self.shape),
            "bias": self.hidden.bias,
            "middle": self.middle.weight.T,
            "middle_bias": self.middle.bias,
            "out": self.out.weight.T,
            "out_bias": self.out.bias,
        }
        return {f"{name}_{part}": w.detach().numpy().astype(np.float16) for part, w in weights.items()}


_Rendering = tuple[Style | None, bool, bool]
"""Style of the accompaniment, whether the bass plays, whether the melody does."""

_RENDERINGS: Final[tuple[_Rendering, ...]] = (
    *4 * ((None, True, True),),
    *((style, True, True) for style in STYLES),
    *((style, False, True) for style in STYLES),
    ("stride", False, True),
    ("stride", False, False),
)


def fit(
    solos: Sequence[AnnotatedSolo],
    out: Path,
    settings: FitSettings | None = None,
    windows: Windows = WHOLE,
) -> tuple[list[float], list[float]]:
    """Fit both networks to the training side and write their weights.

    Args:
        solos: The solos; those of the validation side are not read.
        out: The file to write, for `engine/harmony`.
        settings: How to fit.
        windows: What the networks read of the music.

    Returns:
        Mean loss in nats of each epoch, of the first and of the second network.

    Raises:
        CorpusError: if no training solo has chords, or the file cannot be written.
    """
    settings = settings or FitSettings()
    chosen = [s for s in solos if s.split == "train" and (s.chords != NO_CHORD).any() and len(s.beats) > 1]
    if not chosen:
        raise CorpusError("no solo of the training side has chords; give the Weimar Jazz Database")
    rng = np.random.default_rng(settings.seed)
    torch.manual_seed(settings.seed)
    chroma = SharedRootNetwork(windows.chroma, 1, settings.chroma, settings.dropout)
    chords = SharedRootNetwork(len(windows.chords), len(QUALITIES), settings.chords, settings.dropout)
    nn.init.zeros_(chords.out.weight)
    nn.init.zeros_(chords.out.bias)
    losses = (
        _fit(chroma, None, chosen, settings.epochs[0], settings, windows, rng),
        _fit(chords, chroma, chosen, settings.epochs[1], settings, windows, rng),
    )
    try:
        np.savez_compressed(out, allow_pickle=False, **chroma.arrays("chroma"), **chords.arrays("chords"))
    except OSError as error:
        raise CorpusError(f"{out}: cannot be written ({error.strerror}); choose another place") from error
    return losses


def rendered_frames(
    solo: AnnotatedSolo, rendering: _Rendering, rng: np.random.Generator, windows: Windows = WHOLE
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Render a solo and return its chroma windows (frames, windows, 12) and true chord ids (frames,)."""
    style, with_bass, with_melody = rendering
    lines = [solo.melody] if with_melody else []
    if with_bass:
        bass = solo.walking_bass if len(solo.walking_bass) and rng.random() < 0.5 else solo.beat_bass
        lines.append(Line(bass.onset, bass.duration, bass.pitch + 12 * int(rng.integers(0, 2))))
    if style is not None:
        lines.append(accompany(solo, style, rng))
    # In a piano transcription, notes last as long as the pedal.
    pedal = float(rng.uniform(1, 2.5)) if rng.random() < 0.5 else 1.0
    start, end = float(solo.beats[0]), float(solo.beats[-1])
    frames = max(int((end - start) / FRAME), 1)
    chroma = chroma_windows(
        np.concatenate([line.onset for line in lines]),
        np.concatenate([line.duration for line in lines]) * pedal,
        np.concatenate([line.pitch for line in lines]),
        start,
        frames,
        windows,
    )
    middle = start + FRAME * (np.arange(frames) + 0.5)
    return chroma, solo.chords[np.searchsorted(solo.beats, middle, side="right") - 1]


def _fit(
    network: SharedRootNetwork,
    before: SharedRootNetwork | None,
    solos: Sequence[AnnotatedSolo],
    epochs: int,
    settings: FitSettings,
    windows: Windows,
    rng: np.random.Generator,
) -> list[float]:
    optimizer = torch.optim.AdamW(network.parameters(), settings.rate, weight_decay=settings.decay)
    losses: list[float] = []
    for epoch in range(epochs):
        inputs, given, target = _frames(before, solos, settings.share, windows, rng)
        order = torch.from_numpy(rng.permutation(len(target))).split(settings.batch)
        total = 0.0
        for number, batch in enumerate(order):
            done = (epoch + number / len(order)) / epochs
            warm = min((epoch * len(order) + number + 1) / 50, 1.0)
            for group in optimizer.param_groups:
                group["lr"] = settings.rate * warm * (1 - done)
            scores = given[batch] + network(inputs[batch].float())
            loss = functional.cross_entropy(scores, target[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(target))
    network.eval()
    return losses


def _frames(
    before: SharedRootNetwork | None,
    solos: Sequence[AnnotatedSolo],
    share: float,
    windows: Windows,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Render every solo once and return some frames: inputs, scores of the network before, true chords."""
    inputs: list[NDArray[np.float16]] = []
    given: list[NDArray[np.float32]] = []
    target: list[NDArray[np.int64]] = []
    for solo in solos:
        chroma, true = rendered_frames(solo, _RENDERINGS[rng.integers(len(_RENDERINGS))], rng, windows)
        chosen = np.flatnonzero((true != NO_CHORD) & (rng.random(len(true)) < share))
        values = chroma[..., None]
        scores = np.zeros((len(true), 1), dtype=np.float32)
        if before is not None:
            with torch.no_grad():
                log = functional.log_softmax(before(torch.from_numpy(values)), dim=1)
            scores = log.numpy()
            values = chord_windows(np.exp(scores), windows)
        inputs.append(values[chosen].astype(np.float16))
        given.append(scores[chosen])
        target.append(true[chosen] - 1)
    return (
        torch.from_numpy(np.concatenate(inputs)),
        torch.from_numpy(np.concatenate(given)),
        torch.from_numpy(np.concatenate(target)),
    )
