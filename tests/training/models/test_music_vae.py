"""MusicVAE: shapes, causality, free running, and what the hierarchy changes."""

import pytest
import torch
from melody_samples import ARPEGGIO, SCALE, TINY, tiny_model
from pydantic import ValidationError

from tatumflow.engine.melodies.melody import STEPS_PER_BAR
from tatumflow.training.models import build_model
from tatumflow.training.models.music_vae.config import MusicVaeConfig
from tatumflow.training.models.music_vae.decoder import NO_EVENT, events_before

EVENTS = torch.tensor([SCALE.events, ARPEGGIO.events])
KINDS = (
    {"decoder": "flat"},
    {"decoder": "hierarchical"},
    {"decoder": "hierarchical", "decoder_layers": 2},
    {"decoder": "hierarchical", "step_dim": 5, "summary_dim": 3},
)


@pytest.mark.parametrize("changes", KINDS)
def test_an_event_depends_on_earlier_ones_and_the_latent_alone(changes: dict):
    model = tiny_model(**changes)
    latent = torch.randn(2, 6)
    logits = model.logits(latent, EVENTS)
    later = EVENTS.clone()
    later[:, 20:] = 7
    torch.testing.assert_close(model.logits(latent, later)[:, :21], logits[:, :21])
    assert not torch.allclose(model.logits(latent + 1, EVENTS), logits)


@pytest.mark.parametrize("changes", KINDS)
def test_free_running_is_the_likeliest_event_after_its_own(changes: dict):
    model = tiny_model(**changes)
    latent = torch.randn(3, 6)
    found = model.decode(latent)
    assert found.shape == (3, 32)
    assert torch.equal(model.logits(latent, found).argmax(dim=-1), found)


def test_bars_of_the_hierarchy_share_the_latent_alone():
    model = tiny_model(decoder="hierarchical")
    latent = torch.randn(2, 6)
    logits = model.logits(latent, EVENTS)
    changed = EVENTS.clone()
    changed[:, 3] = 9
    found = model.logits(latent, changed)
    assert not torch.allclose(found[:, 4], logits[:, 4])
    # Only the last event of the first bar is read in the second.
    torch.testing.assert_close(found[:, 16:], logits[:, 16:])
    flat = tiny_model(decoder="flat")
    assert not torch.allclose(flat.logits(latent, changed)[:, 16:], flat.logits(latent, EVENTS)[:, 16:])


def test_the_encoder_reads_both_ends():
    model = tiny_model()
    mean, deviation = model.encoder(EVENTS)
    assert (deviation > 0).all()
    for step in (0, 31):
        changed = EVENTS.clone()
        changed[:, step] = 11
        assert not torch.allclose(model.encoder(changed)[0], mean)


def test_events_before_are_dropped_at_random():
    assert events_before(EVENTS)[:, 0].tolist() == [NO_EVENT, NO_EVENT]
    assert torch.equal(events_before(EVENTS)[:, 1:], EVENTS[:, :-1])
    torch.manual_seed(0)
    dropped = (events_before(EVENTS.repeat(50, 1), 0.3) == NO_EVENT).float().mean()
    assert 0.27 < dropped < 0.37


def test_sizes_are_checked():
    with pytest.raises(ValidationError, match="2 or more"):
        MusicVaeConfig(bars=1, decoder="hierarchical")
    with pytest.raises(ValidationError, match="step_dim must be 0"):
        MusicVaeConfig(decoder="flat", step_dim=8)


def test_all_steps_enter_the_summary():
    model = tiny_model(summary_dim=3)
    events = torch.tensor([SCALE.events])
    mean, _ = model.encoder(events)
    gradient = torch.autograd.grad(mean.sum(), model.encoder.mean.weight)[0]
    assert gradient.reshape(6, 32, 3).abs().sum(dim=(0, 2)).gt(0).all()
    shorter, _ = model.encoder(events[:, :STEPS_PER_BAR])
    assert shorter.shape == mean.shape
    assert build_model("music_vae", TINY)


@pytest.mark.parametrize("changes", KINDS)
def test_the_first_bars_are_decoded_as_those_of_a_whole_melody(changes: dict):
    model = tiny_model(**changes)
    latent = torch.randn(2, 6)
    first = model.logits(latent, EVENTS[:, :STEPS_PER_BAR])
    torch.testing.assert_close(first, model.logits(latent, EVENTS)[:, :STEPS_PER_BAR])
