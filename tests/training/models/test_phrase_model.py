"""Phrases in training: cuts, conditions of the decoder, gradients of each loss."""

from pathlib import Path

import numpy as np
import pytest
import torch
from swing_pieces import swing_piece
from tiny_model import tiny_trained

from tatumflow.engine.midi.notes import Role
from tatumflow.engine.theory.features import NUM_FEATURES
from tatumflow.training.data.batches import Batch, BatchStream
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.phrases import NO_PHRASE, PhraseSettings
from tatumflow.training.data.windows import Windows
from tatumflow.training.fit.losses import (
    field_nll_sums,
    flow_training_pass,
    latent_training_pass,
    latent_validation_pass,
)
from tatumflow.training.models.tatumflow.model import TatumFlow
from tatumflow.training.models.tatumflow.theory_encoder import cross_correlation, unexplained


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("phrases") / "packed"
    pack([swing_piece()], out)
    return out


@pytest.fixture
def windows(packed: Path) -> Windows:
    return Windows(PackedCorpus.open(packed), "train", 192, seed=3, phrases=PhraseSettings(4, 16))


@pytest.fixture
def batch(windows: Windows) -> Batch:
    drawn = next(iter(BatchStream(windows, 2, 2)))
    return drawn._replace(style=drawn.style.clamp(max=3))


def new_model() -> TatumFlow:
    torch.manual_seed(0)
    config = tiny_trained().model.config.model_copy(update={"phrase_share": 1.0})
    model = TatumFlow(config)
    for block in model.decoder.blocks:
        torch.nn.init.normal_(block.modulation.weight, std=0.3)  # type: ignore[union-attr]
    return model


def test_phrases_lie_within_turns_and_cover_their_notes(windows: Windows) -> None:
    for i in range(len(windows.epoch(0))):
        window = windows.epoch(0).window(i)
        steps = window.phrase_steps
        for phrase, row in enumerate(steps):
            own = row[row >= 0]
            if not len(own):
                assert not window.features[phrase].any()
                continue
            assert np.array_equal(own, np.arange(own[0], own[-1] + 1)), "no turn step within"
            assert len(set(window.role[own])) == 1
            assert (window.phrase[own - 1] == phrase).all(), "a condition of the step before each note"
            assert window.previous[phrase] in (phrase - 1, NO_PHRASE)
            assert window.features[phrase].any()
        assert len(steps[steps >= 0]) == len(set(steps[steps >= 0].tolist()))


def test_the_companion_is_conditioned_on_its_phrases_and_the_human_unconditional(batch: Batch) -> None:
    model = new_model().eval()
    conditions = torch.ones(*batch.features.shape[:2], model.config.phrase_dim)
    conditioned = model.by_step(batch, conditions).any(dim=-1)
    assert conditioned.any()
    assert torch.equal(conditioned, (batch.phrase >= 0) & (batch.role == int(Role.COMPANION)))


def test_a_condition_changes_the_prediction(batch: Batch) -> None:
    model = new_model().eval()
    with torch.no_grad():
        nats = latent_validation_pass(model, batch)
    assert set(nats) == {"", "_posterior"}
    assert not torch.allclose(nats[""].sum(), nats["_posterior"].sum(), atol=1e-3)


def test_every_part_learns_from_its_own_losses(batch: Batch) -> None:
    model = new_model()
    sums, further = latent_training_pass(model, batch)
    assert set(further) == {"kl", "diffusion", "theory"}
    reach = {
        "reconstruction": (sums.sum(), {"decoder", "encoder", "theory"}),
        "kl": (further["kl"], {"encoder"}),
        "diffusion": (further["diffusion"], {"flow"}),
        "theory": (further["theory"], {"encoder", "theory", "statistics"}),
    }
    for name, (loss, parts) in reach.items():
        model.zero_grad()
        loss.backward(retain_graph=True)
        moved = {
            part
            for part, module in model.named_children()
            if any(p.grad is not None and p.grad.abs().max() > 0 for p in module.parameters())
        }
        assert moved == parts, name


def test_the_flow_can_be_trained_alone(batch: Batch) -> None:
    model = new_model()
    sums, losses = flow_training_pass(model, batch)
    assert sums is None
    assert set(losses) == {"diffusion"}
    losses["diffusion"].backward()
    learns = {
        part
        for part, module in model.named_children()
        if any(parameter.grad is not None for parameter in module.parameters())
    }
    assert learns == {"flow"}


def test_styles_are_initialized_near_those_of_similar_players() -> None:
    model = new_model()
    styles = model.config.num_styles
    profiles = torch.zeros(styles, 86)
    profiles[1:] = torch.randn(styles - 1, 86)
    profiles[2] = profiles[1]
    model.initialize_styles(profiles)
    for table in (model.decoder.style_embedding, model.flow.style):
        rows = table.weight.detach()
        assert not rows[0].any()
        assert torch.allclose(rows[1:].pow(2).mean(dim=-1).sqrt(), torch.tensor(0.5))
        like, unlike = (torch.cosine_similarity(rows[1], rows[i], dim=0) for i in (2, 3))
        assert like > unlike + 0.1
        assert like < 0.99, "players of one kind still have rows of their own"


def test_conditions_can_be_dropped_altogether(batch: Batch) -> None:
    model = new_model().eval()
    model.config = model.config.model_copy(update={"condition_dropout": 1.0})
    with torch.no_grad():
        states, _ = model.forward_with_losses(batch)
        plain = model(batch)
        assert torch.allclose(states, plain)
        assert field_nll_sums(model, batch, states).isfinite().all()


def test_notes_are_masked_only_where_there_is_a_latent(batch: Batch) -> None:
    model = new_model()
    model.config = model.config.model_copy(update={"context_dropout": 1.0})
    windows, phrases = batch.previous.shape
    conditions = torch.ones(windows, phrases, model.config.phrase_dim)
    note_mask = model.note_mask(batch, conditions)
    own = torch.zeros_like(note_mask, dtype=torch.bool)
    for window, steps in enumerate(batch.phrase_steps):
        own[window, steps[steps >= 0]] = True
    own &= batch.role == Role.COMPANION
    assert own.any()
    assert 0.5 < float((note_mask[own] == 0).float().mean()) < 1
    assert (note_mask[~own] == 1).all()
    conditions[..., : model.config.latent_dim] = 0
    assert (model.note_mask(batch, conditions) == 1).all()


def test_a_masked_note_has_no_effect(batch: Batch) -> None:
    model = new_model().eval()
    condition = torch.zeros(*batch.role.shape, model.config.phrase_dim)
    note_mask = torch.ones_like(batch.role, dtype=torch.float32)
    note_mask[:, 10] = 0
    other = batch.fields.clone()
    other[:, 10] = (other[:, 10] + 1) % 20
    with torch.no_grad():
        a = model.decode(batch, condition, note_mask)
        b = model.decode(batch._replace(fields=other), condition, note_mask)
        c = model.decode(batch, condition)
    assert torch.equal(a, b)
    assert torch.equal(a[:, :10], c[:, :10])
    assert not torch.allclose(a[:, 10:], c[:, 10:])


def test_unexplained_variance() -> None:
    torch.manual_seed(0)
    features = torch.rand(50, NUM_FEATURES)
    present = torch.arange(50) < 40
    assert torch.allclose(unexplained(features, features, present), torch.zeros(4))
    mean = features[:40].mean(dim=0).expand(50, -1)
    assert torch.allclose(unexplained(mean, features, present), torch.ones(4), atol=1e-3)


def test_cross_correlation_is_0_for_independent_values_and_1_for_copies() -> None:
    torch.manual_seed(0)
    present = torch.ones(4000, dtype=torch.bool)
    independent = torch.randn(4000, 4, 3)
    assert cross_correlation(independent, present) < 0.01
    copies = independent[:, :1, :1].expand(-1, 4, 3)
    assert cross_correlation(copies, present) == pytest.approx(1.0, abs=1e-3)
