"""MusicVAE (Roberts et al. 2018): bidirectional encoder, conductor, decoder."""

import torch
from torch import Tensor, nn

from tatumflow.engine.melodies.melody import STEPS_PER_BAR
from tatumflow.training.models.music_vae.config import MusicVaeConfig
from tatumflow.training.models.music_vae.decoder import (
    NO_EVENT,
    Conductor,
    NoConductor,
    SegmentDecoder,
    events_before,
)
from tatumflow.training.models.music_vae.encoder import MelodyEncoder


class MusicVae(nn.Module):
    """Variational autoencoder of melodies on the grid of `engine/melodies/melody.py`.

    Args:
        config: Its sizes.
    """

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = MelodyEncoder(config)
        self.conductor = Conductor(config) if config.segments > 1 else NoConductor(config)
        self.decoder = SegmentDecoder(config)

    def logits(self, latent: Tensor, events: Tensor, dropout: float = 0.0) -> Tensor:
        """Return the logits (B, T, NUM_EVENTS) of each event, given the true events before.

        Args:
            latent: (B, latent_dim).
            events: (B, T) int64: whole bars, as many as the model's melodies have or fewer.
            dropout: Share of the events before that are withheld.
        """
        count, steps = events.shape
        segments = steps // STEPS_PER_BAR if self.config.segments > 1 else 1
        before = events_before(events, dropout).reshape(count * segments, -1)
        embedding = self.conductor(latent, segments).flatten(0, 1)
        place = torch.arange(before.shape[1], device=before.device) % STEPS_PER_BAR
        logits, _ = self.decoder(before, place, embedding, self.decoder.first_state(embedding))
        return logits.reshape(count, steps, -1)

    @torch.inference_mode()
    def decode(self, latent: Tensor) -> Tensor:
        """Return the likeliest event after each decoded one, (B, steps) int64, of latents (B, latent_dim)."""
        event = torch.full((len(latent), 1), NO_EVENT, device=latent.device)
        places = (torch.arange(self.config.segment_steps, device=latent.device) % STEPS_PER_BAR)[:, None]
        found = []
        for embedding in self.conductor(latent).unbind(dim=1):
            state = self.decoder.first_state(embedding)
            for place in places:
                logits, state = self.decoder(event, place, embedding, state)
                event = logits.argmax(dim=-1)
                found.append(event)
        return torch.cat(found, dim=1)
