"""Streams of notes through models of every family: the cache predicts what whole windows do."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from plain_batches import plain_batch
from tiny_model import tiny_trained
from torch import nn

from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.tokens import FIELDS, TIME_SHIFT, TURN_TOKEN, NoteTokens, StreamingEncoder
from tatumflow.training.models import FAMILIES, NoteModel
from tatumflow.training.models.continuation import continue_notes

pytestmark = pytest.mark.slow

STYLE = 2
PRIME = [Note(0.13 * i, 0.1, 60 + 5 * i % 24, 40 + i) for i in range(30)]


def tiny_tatumflow() -> nn.Module:
    return tiny_trained().model


def tiny_music_transformer() -> nn.Module:
    family = FAMILIES["music_transformer"]
    settings = {"hidden_dim": 32, "num_layers": 2, "num_heads": 4, "mlp_dim": 48, "max_seq_len": 64}
    torch.manual_seed(0)
    model = family.build(family.config.model_validate(settings | {"num_styles": 4})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "tatumflow": tiny_tatumflow,
    "music_transformer": tiny_music_transformer,
}


def test_every_family_has_a_stream() -> None:
    assert set(MODELS) == set(FAMILIES)


@pytest.mark.parametrize("family", MODELS)
def test_a_stream_plays_what_a_whole_window_predicts(family: str) -> None:
    model = MODELS[family]()
    assert isinstance(model, NoteModel)
    played = continue_notes(
        FAMILIES[family].stream(model), PRIME, 12, style=STYLE, sampling=Sampling(temperature=0)
    )
    encoder = StreamingEncoder()
    steps = [(TURN_TOKEN, Role.HUMAN, 0)]
    steps += [(encoder.encode(note), Role.HUMAN, 0) for note in PRIME]
    steps += [(TURN_TOKEN, Role.COMPANION, STYLE)]
    steps += [(encoder.encode(note), Role.COMPANION, STYLE) for note in played]
    fields = torch.tensor([[indices(tokens) for tokens, _, _ in steps]])
    role = torch.tensor([[int(role) for _, role, _ in steps]])
    style = torch.tensor([[style for _, _, style in steps]])
    first = len(PRIME) + 1
    target = fields.roll(-1, dims=1)
    with torch.no_grad():
        batch = plain_batch(fields, role, style, target)
        logits = model.field_logits(model(batch), batch)
    # The engine orders simultaneous notes by pitch, so the pitch of a second one is constrained.
    free = target[0, first:-1, TIME_SHIFT] > 0
    assert free.sum() >= 8
    for field, scores in enumerate(logits):
        most_likely = scores[0, first:-1].argmax(dim=-1)
        assert torch.equal(most_likely[free], target[0, first:-1, field][free]), FIELDS[field]


@pytest.mark.parametrize("family", MODELS)
def test_a_stream_goes_on_beyond_its_window(family: str) -> None:
    model = MODELS[family]()
    played = continue_notes(FAMILIES[family].stream(model), PRIME, 150, style=STYLE, seed=5)
    assert len(played) == 150
    assert played == continue_notes(FAMILIES[family].stream(model), PRIME, 150, style=STYLE, seed=5)
    assert played != continue_notes(FAMILIES[family].stream(model), PRIME, 150, style=STYLE, seed=6)
    assert played[0].onset >= PRIME[-1].onset
    assert all(a.onset <= b.onset for a, b in itertools.pairwise(played))


@pytest.mark.parametrize("family", MODELS)
def test_a_stream_depends_on_style_and_prime(family: str) -> None:
    model = MODELS[family]()

    def played(prime: list[Note], style: int, seed: int = 0) -> list[Note]:
        return continue_notes(FAMILIES[family].stream(model), prime, 60, style=style, seed=seed)

    assert played(PRIME, 1) == played(PRIME, 1)
    assert played(PRIME, 1) != played(PRIME, 3)
    other = [replace(note, pitch=note.pitch + 11, velocity=note.velocity + 40) for note in PRIME]
    assert any(played(PRIME, 1, seed) != played(other, 1, seed) for seed in range(4))


def indices(tokens: NoteTokens) -> list[int]:
    return [tokens.time_shift, tokens.pitch, tokens.velocity, tokens.duration]
