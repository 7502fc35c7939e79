"""Losses of a variational autoencoder of melodies."""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tatumflow.training.models.music_vae.model import MusicVae

_NATS: Final = math.log(2)


@dataclass(frozen=True)
class MelodyPass:
    """Results of a batch, B melodies of T steps.

    Attributes:
        nll: Negative log-likelihood of each event in nats, (B, T).
        right: Whether the likeliest event is the true one, (B, T).
        divergence: KL divergence of each posterior from the prior in nats, (B,).
    """

    nll: Tensor
    right: Tensor
    divergence: Tensor

    def loss(self, beta: float, free_bits: float) -> Tensor:
        """Return the mean loss of a step: the NLL, and the weighted divergence beyond the free bits."""
        beyond = (self.divergence - free_bits * _NATS).clamp(min=0)
        return self.nll.mean() + beta * beyond.mean() / self.nll.shape[1]


def melody_pass(model: MusicVae, events: Tensor, *, sampled: bool) -> MelodyPass:
    """Encode and decode melodies (B, T), each event given the true events before.

    Args:
        model: The model.
        events: The melodies.
        sampled: Whether latents are drawn from the posterior and events before are dropped, as in training;
            otherwise the posterior means are decoded.
    """
    mean, deviation = model.encoder(events)
    mean, deviation = mean.float(), deviation.float()
    latent = mean + deviation * torch.randn_like(mean) if sampled else mean
    logits = model.logits(latent, events, model.config.event_dropout if sampled else 0.0).float()
    nll = F.cross_entropy(logits.transpose(1, 2), events, reduction="none")
    return MelodyPass(nll, logits.argmax(dim=-1) == events, divergence(mean, deviation))


def divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the KL divergence in nats, (B,), of normal distributions (B, d) from the standard normal."""
    return 0.5 * (mean.square() + deviation.square() - 1 - 2 * deviation.log()).sum(dim=-1)
