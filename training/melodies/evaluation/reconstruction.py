"""How well melodies are reconstructed: with the true events before, and from the latent alone."""

from dataclasses import dataclass

import numpy as np
import torch

from tatumflow.engine.arrays import Ints
from tatumflow.engine.melodies.features import distance
from tatumflow.engine.melodies.melody import FIRST_PITCH, HOLD
from tatumflow.training.evaluate.bootstrap import mean
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.melodies.evaluation.autoencoder import Autoencoder
from tatumflow.training.melodies.fit.losses import melody_pass
from tatumflow.training.models.music_vae.model import MusicVae

_BATCH = 128
_BITS = 1 / np.log(2)


@dataclass(frozen=True)
class Scored:
    """Melodies to reconstruct.

    Attributes:
        events: (n, steps).
        piece: The piece of each, (n,), by which figures are resampled.
    """

    events: Ints
    piece: Ints


def reconstruction(model: Autoencoder, scored: Scored, seed: int) -> Figures:
    """Return figures of melodies decoded from their posterior means, each event given the decoded ones.

    Returns:
        `accuracy`, the share of right events (the paper's, section 5.1); `note_accuracy`, that of the events
        that begin a note; `sounding`, the share of steps with the right sounding pitch or rest; and
        `always_hold`, the accuracy without any model.
    """
    events = scored.events
    found = model.decode(model.encode(events))
    note = events >= FIRST_PITCH
    right = found == events
    values = {
        "accuracy": right.mean(axis=1),
        "note_accuracy": (right & note).sum(axis=1) / np.maximum(note.sum(axis=1), 1),
        "sounding": 1 - distance(found, events),
        "always_hold": (events == HOLD).mean(axis=1),
    }
    return {name: _figure(value, scored, seed) for name, value in values.items()}


@torch.inference_mode()
def teacher_forced(model: MusicVae, scored: Scored, seed: int) -> Figures:
    """Return figures of melodies decoded from their posterior means, each event given the true ones before.

    Returns:
        `accuracy` and `note_accuracy` as in `reconstruction`; `nll`, nats an event; and `kl_bits`, the KL
        divergence of a melody's posterior from the prior.
    """
    events = torch.from_numpy(scored.events)
    passes = [melody_pass(model, part, sampled=False) for part in events.split(_BATCH)]
    right = torch.cat([one.right for one in passes]).numpy()
    note = scored.events >= FIRST_PITCH
    values = {
        "accuracy": right.mean(axis=1),
        "note_accuracy": (right & note).sum(axis=1) / np.maximum(note.sum(axis=1), 1),
        "nll": torch.cat([one.nll for one in passes]).numpy().mean(axis=1),
        "kl_bits": torch.cat([one.divergence for one in passes]).numpy() * _BITS,
    }
    return {name: _figure(value, scored, seed) for name, value in values.items()}


def _figure(values: np.ndarray, scored: Scored, seed: int) -> Figures:
    return value_and_interval(mean(values, groups=scored.piece.tolist(), seed=seed))
