"""A model of melodies to evaluate: a checkpoint, the folder of a run, or an exported model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.melodies.bundle import MELODY_FILE, load_melodies
from tatumflow.engine.melodies.melody import Melody
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel
from tatumflow.training.melodies.checkpoint import open_melodies
from tatumflow.training.melodies.export.attributes import encoded
from tatumflow.training.models.music_vae.model import MusicVae

_BATCH = 256


class Autoencoder(Protocol):
    """Turns melodies into latents and back, without randomness."""

    @property
    def bars(self) -> int:
        """Bars of a melody."""
        ...

    def encode(self, events: Ints) -> Floats:
        """Return the posterior means (n, d) of melodies (n, steps)."""
        ...

    def decode(self, latents: Floats) -> Ints:
        """Return the likeliest melodies (n, steps) of latents (n, d), step by step."""
        ...


@dataclass(frozen=True)
class TorchAutoencoder:
    """A trained model."""

    model: MusicVae

    @property
    def bars(self) -> int:
        """Bars of a melody."""
        return self.model.config.bars

    def encode(self, events: Ints) -> Floats:
        """Return the posterior means."""
        return encoded(self.model, events)

    def decode(self, latents: Floats) -> Ints:
        """Return the likeliest melodies."""
        parts = [self.model.decode(part) for part in torch.from_numpy(latents).split(_BATCH)]
        return torch.cat(parts).numpy()


@dataclass(frozen=True)
class OnnxAutoencoder:
    """An exported model."""

    model: OnnxMelodyModel

    @property
    def bars(self) -> int:
        """Bars of a melody."""
        return self.model.bars

    def encode(self, events: Ints) -> Floats:
        """Return the posterior means."""
        return self.model.encode([Melody(tuple(row)) for row in events.tolist()]).mean

    def decode(self, latents: Floats) -> Ints:
        """Return the likeliest melodies."""
        return np.stack([melody.array for melody in self.model.decode(latents)])


@dataclass(frozen=True)
class OpenedMelodies:
    """An opened model.

    Attributes:
        autoencoder: The model.
        trained: The PyTorch model; None for an exported one.
        corpora: Names of the corpora that it was trained on; empty for all of a packed corpus.
        notes_per_bar: Fewest notes a bar of its training melodies.
    """

    autoencoder: Autoencoder
    trained: MusicVae | None
    corpora: tuple[str, ...]
    notes_per_bar: float


def open_melody_model(path: Path) -> OpenedMelodies:
    """Open a model of melodies.

    Raises:
        CheckpointError: if a checkpoint cannot be read.
        BundleError: if an exported model is damaged.
    """
    if (path / MELODY_FILE).is_file():
        exported = OnnxMelodyModel(load_melodies(path))
        corpora = tuple(credit.name for credit in exported.manifest.corpora)
        return OpenedMelodies(OnnxAutoencoder(exported), None, corpora, 2.0)
    trained = open_melodies(path)
    data = trained.config.data
    return OpenedMelodies(TorchAutoencoder(trained.model), trained.model, data.corpora, data.notes_per_bar)
