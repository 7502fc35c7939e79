"""The encoder of MusicVAE: a bidirectional LSTM."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.melodies.melody import NUM_EVENTS, STEPS_PER_BAR
from tatumflow.training.models.music_vae.config import MusicVaeConfig
from tatumflow.training.models.music_vae.memory import remember

_DEVIATION_BIAS = -2.0
"""Deviations begin at about 0.13: while the weight of the divergence is low, little noise hides the means."""


class MelodyEncoder(nn.Module):
    """Bidirectional LSTM whose states give mean and deviation of the posterior (section 3.1).

    Those are the last states, or with a `summary_dim` all of them: no memory of 256 steps has to be learned
    first. Beyond the paper it reads the place of each step in the bar, as the decoder does.
    """

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(NUM_EVENTS, config.embedding_dim)
        self.place = nn.Embedding(STEPS_PER_BAR, config.embedding_dim)
        lstm = nn.LSTM(
            config.embedding_dim,
            config.encoder_dim,
            config.encoder_layers,
            batch_first=True,
            bidirectional=True,
        )
        self.lstm = remember(lstm, config.steps)
        self.steps, states = config.steps, 2 * config.encoder_dim
        self.summary = nn.Linear(states, config.summary_dim) if config.summary_dim else None
        if self.summary is not None:
            states = config.steps * config.summary_dim
        self.mean = nn.Linear(states, config.latent_dim)
        self.deviation = nn.Linear(states, config.latent_dim)
        nn.init.constant_(self.deviation.bias, _DEVIATION_BIAS)

    def forward(self, events: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, (B, latent_dim) each, of events (B, T) int64.

        T is the number of steps of the model's melodies or less.
        """
        place = torch.arange(events.shape[1], device=events.device) % STEPS_PER_BAR
        outputs, (last, _) = self.lstm(self.embedding(events) + self.place(place))
        if self.summary is None:
            states = torch.cat([last[-2], last[-1]], dim=-1)
        else:
            missing = self.steps - events.shape[1]
            states = F.pad(self.summary(outputs), (0, 0, 0, missing)).flatten(1)
        return self.mean(states), F.softplus(self.deviation(states)) + 1e-5
