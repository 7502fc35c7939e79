"""The decoders of MusicVAE: a conductor over bars, or none, and an LSTM over the steps of a segment."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.melodies.melody import NUM_EVENTS, STEPS_PER_BAR
from tatumflow.training.models.music_vae.config import MusicVaeConfig
from tatumflow.training.models.music_vae.memory import remember

NO_EVENT = NUM_EVENTS
"""Index of the embedding of no event: before the first step, and where the event before is dropped."""


class Conductor(nn.Module):
    """Turns the latent into one embedding for each bar (section 3.2).

    An LSTM without inputs, begun by the latent: all that the bars share passes through it.
    """

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.segments = config.segments
        self.begin = nn.Linear(config.latent_dim, 2 * config.conductor_dim)
        lstm = nn.LSTM(config.latent_dim, config.conductor_dim, batch_first=True)
        self.lstm = remember(lstm, config.segments)

    def forward(self, latent: Tensor, segments: int | None = None) -> Tensor:
        """Return the embeddings (B, segments, conductor_dim) of latents (B, latent_dim).

        `segments` is the number of bars; None for those of a whole melody.
        """
        hidden, cell = torch.tanh(self.begin(latent)).chunk(2, dim=-1)
        inputs = latent[:, None].expand(-1, segments or self.segments, -1)
        embeddings, _ = self.lstm(inputs, (hidden[None].contiguous(), cell[None].contiguous()))
        return embeddings


class NoConductor(nn.Module):
    """Turns the latent into the one embedding of a flat decoder."""

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.project = nn.Linear(config.latent_dim, config.conductor_dim)

    def forward(self, latent: Tensor, segments: int | None = None) -> Tensor:
        """Return the embedding (B, 1, conductor_dim) of latents (B, latent_dim), of however many bars."""
        return torch.tanh(self.project(latent))[:, None]


class SegmentDecoder(nn.Module):
    """LSTM over the steps of a segment, begun by its embedding, which every step reads too.

    Its state is not carried from one segment to the next, so that what they share must come from the latent;
    the event before the segment is read. Beyond the paper it reads the place of each step in the bar, and
    with a `step_dim` an embedding of the step, a linear function of the segment's.
    """

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.layers, self.width = config.decoder_layers, config.decoder_dim
        self.embedding = nn.Embedding(NUM_EVENTS + 1, config.embedding_dim)
        self.place = nn.Embedding(STEPS_PER_BAR, config.embedding_dim)
        self.begin = nn.Linear(config.conductor_dim, 2 * self.layers * self.width)
        self.step_dim = config.step_dim
        self.step = nn.Linear(config.conductor_dim, STEPS_PER_BAR * self.step_dim) if self.step_dim else None
        inputs = config.embedding_dim + config.conductor_dim + config.step_dim
        lstm = nn.LSTM(inputs, self.width, self.layers, batch_first=True)
        self.lstm = remember(lstm, config.segment_steps)
        self.output = nn.Linear(self.width, NUM_EVENTS)

    def first_state(self, embedding: Tensor) -> Tensor:
        """Return the state (B, 2 * layers, width), hidden before cell, of segment embeddings (B, c)."""
        return torch.tanh(self.begin(embedding)).reshape(-1, 2 * self.layers, self.width)

    def forward(
        self, before: Tensor, place: Tensor, embedding: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Decode steps.

        Args:
            before: The event before each step, (B, T) int64, `NO_EVENT` for none.
            place: The place of each step in the bar, (T,) int64.
            embedding: The segment's embedding, (B, conductor_dim).
            state: The state before the steps; see `first_state`.

        Returns:
            Logits (B, T, NUM_EVENTS), and the state after the steps.
        """
        inputs = [
            self.embedding(before) + self.place(place),
            embedding[:, None].expand(-1, before.shape[1], -1),
        ]
        if self.step is not None:
            inputs.append(self.step(embedding).unflatten(-1, (STEPS_PER_BAR, self.step_dim))[:, place])
        hidden, cell = state.transpose(0, 1).contiguous().chunk(2)
        outputs, (hidden, cell) = self.lstm(
            torch.cat(inputs, dim=-1), (hidden.contiguous(), cell.contiguous())
        )
        return self.output(outputs), torch.cat([hidden, cell]).transpose(0, 1)


def events_before(events: Tensor, dropout: float = 0.0) -> Tensor:
    """Return the event before each of (B, T), a random share of them replaced by `NO_EVENT`."""
    before = F.pad(events[:, :-1], (1, 0), value=NO_EVENT)
    if dropout > 0:
        before = before.masked_fill(torch.rand(before.shape, device=before.device) < dropout, NO_EVENT)
    return before
