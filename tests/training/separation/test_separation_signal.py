"""What a separation model sees: torch beside the engine's NumPy, and where each channel lies."""

import numpy as np
import pytest
import torch

from tatumflow.engine.separation import stft as engine
from tatumflow.engine.separation.normalizer import Normalizer
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.separation import signal


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [StftSettings(), StftSettings(256, 64), StftSettings(2048, 1024)])
@pytest.mark.parametrize("length", [1, 700, 4095, 4096])
def test_torch_computes_what_the_engine_computes(shape: StftSettings, length: int):
    samples = noise(2, 3, length)
    ours = signal.stft(torch.from_numpy(samples), shape)
    np.testing.assert_allclose(ours.numpy(), engine.stft(samples, shape), atol=2e-4)
    changed = ours * torch.from_numpy(noise(*ours.shape[-2:], seed=1))
    back = signal.istft(changed, length, shape)
    np.testing.assert_allclose(back.numpy(), engine.istft(changed.numpy(), length, shape), atol=1e-4)


@pytest.mark.parametrize("hop", [512, 1024])
@pytest.mark.parametrize("length", [1, 513, 3000, 3071])
def test_round_trip_is_exact(length: int, hop: int):
    samples, shape = torch.from_numpy(noise(2, 2, length)), StftSettings(2048, hop)
    assert (signal.istft(signal.stft(samples, shape), length, shape) - samples).abs().max() < 1e-5


def test_planes_hold_the_real_parts_of_all_channels_then_the_imaginary():
    left, right = torch.complex(torch.ones(5, 3), 2 * torch.ones(5, 3)), torch.zeros(5, 3) + 3j
    planes = signal.to_planes(torch.stack([left, right])[None])
    assert planes.shape == (1, 4, 5, 3)
    assert planes[0, :, 0, 0].tolist() == [1, 0, 2, 3]
    assert torch.equal(signal.from_planes(planes)[0, 1], right)


def test_scales_are_those_of_the_engine():
    mixtures = noise(3, 2, 500) * np.array([1.0, 1e-3, 0.0], np.float32)[:, None, None]
    scales = signal.scales(torch.from_numpy(mixtures))
    assert scales.tolist() == [Normalizer.of(mixture).scale for mixture in mixtures]
