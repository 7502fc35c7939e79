import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stft import StftSettings, StreamingIstft, StreamingStft, istft, stft

SMALL = StftSettings(window=64, hop=16)
SHAPES = st.sampled_from([SMALL, StftSettings(64, 32), StftSettings(48, 8)])


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def pieces(length: int, sizes: list[int]) -> list[slice]:
    """Cut a length into pieces of these sizes, the last as long as is left."""
    edges = np.clip(np.concatenate([[0], np.cumsum(sizes), [length]]), 0, length)
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


@given(length=st.integers(0, 400), shape=SHAPES)
@settings(deadline=None)
def test_round_trip_is_exact_for_any_length(length: int, shape: StftSettings):
    samples = noise(2, 3, length)
    spectrogram = stft(samples, shape)
    assert spectrogram.shape == (2, 3, shape.bins, shape.frames(length))
    # A transform of n samples rounds each by at most about 2^-24 log2 n of their norm, here sqrt(3 n / 8).
    # Two transforms and a division that multiplies by 2 at most: 7e-6 for 64 samples.
    assert np.abs(istft(spectrogram, length, shape) - samples).max(initial=0.0) < 1e-5


@pytest.mark.parametrize("hop", [512, 1024])
@pytest.mark.parametrize("length", [1, 511, 512, 1023, 2046, 2047, 5000])
def test_round_trip_of_large_windows_reaches_both_edges(length: int, hop: int):
    samples, shape = noise(2, length), StftSettings(2048, hop)
    back = istft(stft(samples, shape), length, shape)
    assert back.dtype == np.float32
    # Rounding errors as good as never all have the worst sign: they stay thirty times below this.
    assert np.abs(back - samples).max() < 1e-5


@given(length=st.integers(1, 400), shape=SHAPES, seed=st.integers(0, 9))
@settings(deadline=None)
def test_a_changed_spectrogram_is_nowhere_loud(length: int, shape: StftSettings, seed: int):
    # Every frame is a tone within -1 and 1, whatever its window: no sample may be louder than the factor 2 of
    # the division makes it.
    phases = np.exp(2j * np.pi * noise(shape.frames(length), seed=seed))
    spectrogram = np.zeros((1, shape.bins, len(phases)), np.complex64)
    spectrogram[:, 3] = phases * shape.window / 2
    assert np.abs(istft(spectrogram, length, shape)).max() < 2.001


def test_a_tone_lies_in_its_bin():
    shape = StftSettings()
    tone = np.sin(2 * np.pi * 40 * np.arange(20 * shape.hop) / shape.window).astype(np.float32)
    inner = np.abs(stft(tone, shape))[:, 4:-4]
    assert (inner.argmax(axis=0) == 40).all()


@given(
    length=st.integers(0, 300),
    sizes=st.lists(st.integers(0, 70), max_size=12),
    shape=SHAPES,
    seed=st.integers(0, 9),
)
@settings(deadline=None)
def test_streaming_equals_batch_whatever_the_pieces(
    length: int, sizes: list[int], shape: StftSettings, seed: int
):
    samples = noise(2, length, seed=seed)
    batch = stft(samples, shape)
    analysis, synthesis = StreamingStft(2, shape), StreamingIstft(2, shape)
    # A gain on each bin and frame: processing must not hide a frame that is missing or moved.
    gains = noise(shape.bins, batch.shape[-1], seed=seed + 10)
    frames, out = 0, []
    spectra = [analysis.push(samples[:, piece]) for piece in pieces(length, sizes)]
    for spectrum in [*spectra, analysis.finish()]:
        until = frames + spectrum.shape[-1]
        np.testing.assert_allclose(spectrum, batch[..., frames:until], atol=1e-5)
        out.append(synthesis.push(spectrum * gains[:, frames:until]))
        frames = until
    assert frames == batch.shape[-1]
    streamed = np.concatenate([*out, synthesis.finish()], axis=-1)[:, :length]
    np.testing.assert_allclose(streamed, istft(batch * gains, length, shape), atol=1e-4)


@pytest.mark.parametrize(("length", "frames"), [(0, 1), (1, 2), (31, 2), (32, 2), (33, 3), (95, 4)])
def test_two_frames_cover_the_end_where_a_window_is_two_hops(length: int, frames: int):
    shape = StftSettings(64, 32)
    assert shape.frames(length) == frames
    assert StftSettings(64, 16).frames(length) == length // 16 + 1
    streaming = StreamingStft(1, shape)
    found = [streaming.push(noise(1, length)), streaming.finish()]
    assert sum(spectrum.shape[-1] for spectrum in found) == frames


def test_latency_is_at_most_what_is_stated_and_is_reached():
    analysis, synthesis = StreamingStft(1, SMALL), StreamingIstft(1, SMALL)
    returned = worst = 0
    for before, sample in enumerate(noise(1, 500).T):
        # The next to come out has waited since it came in.
        worst = max(worst, before - returned)
        returned += synthesis.push(analysis.push(sample[None])).shape[-1]
        assert before + 1 - returned <= SMALL.latency
    assert worst >= SMALL.latency - 1


@pytest.mark.parametrize(("window", "hop"), [(2048, 0), (2048, 500), (512, 512), (0, 16)])
def test_a_hop_that_does_not_fit_is_refused(window: int, hop: int):
    with pytest.raises(SettingError, match="hop"):
        StftSettings(window, hop)
