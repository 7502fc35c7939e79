"""The ONNX graphs of a model of melodies."""

import torch
from onnx import ModelProto
from torch import Tensor, nn

from tatumflow.engine.melodies.melody import HOLD
from tatumflow.engine.melodies.onnx_melody_model import CONDUCTOR_NAMES, DECODER_NAMES, ENCODER_NAMES
from tatumflow.training.export.onnx_files import traced
from tatumflow.training.models.music_vae.model import MusicVae

_EXAMPLES = 3
_MOST_MELODIES = 65536


class ConductorGraph(nn.Module):
    """From latents (n, d) to segment embeddings (n, S, c) and first states (n, S, 2 * layers, width)."""

    def __init__(self, model: MusicVae) -> None:
        super().__init__()
        self.conductor = model.conductor
        self.begin = model.decoder.begin
        self.shape = (model.config.segments, 2 * model.decoder.layers, model.decoder.width)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings and states."""
        embeddings = self.conductor(latent)
        return embeddings, torch.tanh(self.begin(embeddings)).reshape(-1, *self.shape)


class StepGraph(nn.Module):
    """One step: event before (n,), place (1,), embedding (n, c), state to logits (n, events), state."""

    def __init__(self, model: MusicVae) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(
        self, before: Tensor, place: Tensor, embedding: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the logits and the next state."""
        logits, state = self.decoder(before[:, None], place, embedding, state)
        return logits[:, 0], state


def melody_graphs(model: MusicVae) -> dict[str, ModelProto]:
    """Return the graphs "encoder", "conductor" and "decoder"; the number of melodies stays free."""
    config = model.config
    free = {0: torch.export.Dim("melodies", min=1, max=_MOST_MELODIES)}
    events = torch.full((_EXAMPLES, config.steps), HOLD)
    latent = torch.zeros(_EXAMPLES, config.latent_dim)
    embedding = torch.zeros(_EXAMPLES, config.conductor_dim)
    before, place = torch.zeros(_EXAMPLES, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    step = (before, place, embedding, model.decoder.first_state(embedding))
    return {
        "encoder": traced(model.encoder, (events,), *ENCODER_NAMES, (free,)),
        "conductor": traced(ConductorGraph(model), (latent,), *CONDUCTOR_NAMES, (free,)),
        "decoder": traced(StepGraph(model), step, *DECODER_NAMES, (free, {}, free, free)),
    }
