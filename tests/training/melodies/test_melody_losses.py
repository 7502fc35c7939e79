"""The divergence and its weight: free bits on the total, annealing from nothing."""

import math

import pytest
import torch
from melody_samples import ARPEGGIO, SCALE, tiny_model

from tatumflow.training.melodies.fit.losses import MelodyPass, divergence, melody_pass
from tatumflow.training.melodies.fit.settings import MelodyLosses

EVENTS = torch.tensor([SCALE.events, ARPEGGIO.events])


def test_the_divergence_is_that_of_the_normal_distributions():
    mean, deviation = torch.randn(5, 7), torch.rand(5, 7) + 0.1
    posterior = torch.distributions.Normal(mean, deviation)
    prior = torch.distributions.Normal(torch.zeros(7), torch.ones(7))
    expected = torch.distributions.kl_divergence(posterior, prior).sum(dim=-1)
    torch.testing.assert_close(divergence(mean, deviation), expected)


def test_free_bits_are_of_the_total_of_a_melody():
    nll = torch.zeros(2, 10)
    # One dimension far from the prior and many near it: their sum counts, not each.
    result = MelodyPass(nll, nll > 0, torch.tensor([10.0, 30.0]) * math.log(2))
    assert float(result.loss(1.0, 20.0)) == pytest.approx(0.5 * 10 * math.log(2) / 10)
    assert float(result.loss(1.0, 30.0)) == 0
    assert float(result.loss(0.5, 0.0)) == pytest.approx(0.5 * 20 * math.log(2) / 10)


def test_the_weight_of_the_divergence_is_annealed():
    losses = MelodyLosses(beta=0.2, beta_steps=100)
    assert [losses.beta_at(step) for step in (0, 50, 100, 1000)] == [0, 0.1, 0.2, 0.2]
    assert MelodyLosses().beta_at(0) == 0 < MelodyLosses().beta_at(10_000)


def test_a_pass_scores_each_event_once():
    model = tiny_model()
    result = melody_pass(model, EVENTS, sampled=False)
    assert result.nll.shape == result.right.shape == (2, 32)
    again = melody_pass(model, EVENTS, sampled=False)
    assert torch.equal(result.nll, again.nll)
    drawn = melody_pass(model, EVENTS, sampled=True)
    assert not torch.equal(drawn.nll, melody_pass(model, EVENTS, sampled=True).nll)


def test_a_model_can_learn_two_melodies_by_heart():
    torch.manual_seed(0)
    model = tiny_model(latent_dim=8, encoder_dim=32, decoder_dim=32, event_dropout=0.2)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(80):
        optimizer.zero_grad()
        melody_pass(model, EVENTS, sampled=True).loss(0.0, 0.0).backward()
        optimizer.step()
    with torch.no_grad():
        found = model.decode(model.encoder(EVENTS)[0])
    assert (found == EVENTS).float().mean() > 0.95
