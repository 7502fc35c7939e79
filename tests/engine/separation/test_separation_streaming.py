"""Streams of samples through a model of spectra: nothing lost, nothing later than `latency`."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tatumflow.engine.separation.pass_through import PassThrough
from tatumflow.engine.separation.stems import StemSet, parse_stems
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.engine.separation.streaming import StreamingSeparator


class Halves:
    """A model of two stems that are a fourth and three fourths of the mixture, counting its calls."""

    stems: StemSet = parse_stems("low,high")
    rate = 8000
    transform = StftSettings(64, 16)

    def __init__(self, block: int = 1, most: int = 4) -> None:
        self.block, self.most = block, most
        self.calls: list[int] = []

    def reset(self) -> None:
        self.calls = []

    def separate(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        assert planes.dtype == np.float32
        self.calls.append(planes.shape[-1])
        real, imaginary = planes[:2], planes[2:]
        return np.concatenate([0.25 * real, 0.75 * real, 0.25 * imaginary, 0.75 * imaginary])


def noise(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-1, 1, (2, length)).astype(np.float32)


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("sizes", [[1000], [1, 15, 16, 500, 468], [0, 3] * 200])
def test_what_goes_in_comes_out(block: int, sizes: list[int]):
    samples = noise(sum(sizes))
    separator = StreamingSeparator(Halves(block))
    pieces = np.split(samples, np.cumsum(sizes)[:-1], axis=-1)
    found = np.concatenate([*(separator.push(piece) for piece in pieces), separator.finish()], axis=-1)
    assert found.shape == (2, 2, sum(sizes))
    np.testing.assert_allclose(found, np.stack([0.25 * samples, 0.75 * samples]), atol=1e-5)


@pytest.mark.parametrize("block", [1, 2, 4])
def test_no_sample_is_later_than_the_latency_told(block: int):
    separator = StreamingSeparator(Halves(block))
    assert separator.latency == 64 + (block - 1) * 16
    out = 0
    for number in range(1, 400):
        out += separator.push(noise(1)).shape[-1]
        assert out >= number - separator.latency


def test_a_model_is_given_whole_blocks_and_no_more_than_it_takes():
    model = Halves(block=2, most=3)
    separator = StreamingSeparator(model)
    separator.push(noise(1000))
    separator.finish()
    assert all(frames % 2 == 0 and frames <= 6 for frames in model.calls)


def test_a_stream_begun_anew_keeps_nothing_of_the_one_before():
    separator = StreamingSeparator(Halves())
    separator.push(noise(100))
    separator.begin()
    found = np.concatenate([separator.push(noise(300)), separator.finish()], axis=-1)
    np.testing.assert_allclose(found.sum(axis=0), noise(300), atol=1e-5)


def test_without_a_separator_the_input_comes_out_whole_and_at_once():
    model = PassThrough()
    separator = StreamingSeparator(model)
    samples = noise(48_000)
    pieces = [separator.push(samples[:, first : first + 256]) for first in range(0, 48_000, 256)]
    found = np.concatenate([*pieces, separator.finish()], axis=-1)
    assert model.stems.names == ("input",)
    np.testing.assert_allclose(found, samples[None], atol=1e-5)
    assert separator.latency / model.rate < 0.002
