"""The encoder of MusicVAE: a bidirectional LSTM."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.melodies.melody import NUM_EVENTS
from tatumflow.training.models.music_vae.config import MusicVaeConfig


class MelodyEncoder(nn.Module):
    """Bidirectional LSTM whose last states give mean and deviation of the posterior (section 3.1)."""

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(NUM_EVENTS, config.embedding_dim)
        self.lstm = nn.LSTM(
            config.embedding_dim,
            config.encoder_dim,
            config.encoder_layers,
            batch_first=True,
            bidirectional=True,
        )
        self.mean = nn.Linear(2 * config.encoder_dim, config.latent_dim)
        self.deviation = nn.Linear(2 * config.encoder_dim, config.latent_dim)

    def forward(self, events: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, (B, latent_dim) each, of events (B, steps) int64."""
        _, (last, _) = self.lstm(self.embedding(events))
        states = torch.cat([last[-2], last[-1]], dim=-1)
        return self.mean(states), F.softplus(self.deviation(states)) + 1e-5
