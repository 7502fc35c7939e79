"""The delay pattern of MusicGen's codebooks, against tables written by hand and against transformers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import MusicgenDecoderConfig, MusicgenForCausalLM

from tatumflow.training.models.musicgen.delay_pattern import delayed, undelayed

P = 99

CODES = [
    [11, 12, 13],
    [21, 22, 23],
    [31, 32, 33],
    [41, 42, 43],
]
MONO = [
    [P, 11, 12, 13, P, P, P],
    [P, P, 21, 22, 23, P, P],
    [P, P, P, 31, 32, 33, P],
    [P, P, P, P, 41, 42, 43],
]
STEREO = [
    [P, 11, 12, 13, P],
    [P, 21, 22, 23, P],
    [P, P, 31, 32, 33],
    [P, P, 41, 42, 43],
]


@pytest.mark.parametrize(("channels", "table"), [(1, MONO), (2, STEREO)])
def test_the_pattern_is_the_table(channels: int, table: list[list[int]]):
    codes = torch.tensor([CODES])
    steps = delayed(codes, P, channels)
    assert steps.tolist() == [table]
    assert torch.equal(undelayed(steps, channels), codes)


@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 4), st.integers(0, 9), st.integers(0, 2**31))
def test_undoing_the_pattern_gives_the_codes(
    sequences: int, channels: int, levels: int, frames: int, seed: int
):
    shape = (sequences, channels * levels, frames)
    codes = torch.randint(0, 50, shape, generator=torch.Generator().manual_seed(seed))
    steps = delayed(codes, P, channels)
    assert steps.shape == (sequences, channels * levels, frames + levels)
    assert (steps == P).sum() == sequences * channels * levels * levels
    assert torch.equal(undelayed(steps, channels), codes)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_pattern_is_that_of_transformers(channels: int):
    config = MusicgenDecoderConfig(
        vocab_size=P,
        hidden_size=8,
        ffn_dim=8,
        num_attention_heads=1,
        num_hidden_layers=1,
        num_codebooks=4,
        audio_channels=channels,
        pad_token_id=P,
        bos_token_id=P,
    )
    decoder = MusicgenForCausalLM(config)
    codes = torch.randint(0, P, (2, 4, 9), generator=torch.Generator().manual_seed(0))
    begun = torch.cat([torch.full((2, 4, 1), P), codes], dim=2).reshape(8, -1)
    steps = delayed(codes, P, channels)
    _, theirs = decoder.build_delay_pattern_mask(begun, P, steps.shape[2])  # pyright: ignore[reportArgumentType]
    assert torch.equal(theirs.view(2, 4, -1), steps)
