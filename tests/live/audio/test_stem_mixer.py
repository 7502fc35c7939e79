"""Mixing stems, limiting and metering them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.errors import SettingError
from tatumflow.live.audio.levels import FLOOR_DB, LevelMeter, decibels
from tatumflow.live.audio.limiter import soft_limit
from tatumflow.live.audio.stem_mixer import StemMix, StemMixer

RATE = 8000
MIXES = st.builds(StemMix, st.floats(-60, 12), st.booleans(), st.booleans())


def constant(*values: float, count: int = RATE) -> np.ndarray:
    return np.stack([np.full((2, count), value, dtype=np.float32) for value in values])


@pytest.mark.parametrize(
    ("mixes", "heard"),
    [
        ((StemMix(), StemMix()), 0.75),
        ((StemMix(muted=True), StemMix()), 0.25),
        ((StemMix(), StemMix(soloed=True)), 0.25),
        ((StemMix(soloed=True), StemMix(soloed=True)), 0.75),
        ((StemMix(muted=True, soloed=True), StemMix()), 0.0),
        ((StemMix(gain_db=-20.0), StemMix(muted=True)), 0.05),
        ((StemMix(gain_db=6.0), StemMix(muted=True)), 0.5 * 10**0.3),
    ],
)
def test_mute_solo_and_gain(mixes: tuple[StemMix, ...], heard: float):
    mixer = StemMixer(2, RATE)
    mixer.mixes = mixes
    mixed = mixer.mix(constant(0.5, 0.25))
    np.testing.assert_allclose(mixed[:, -1], heard, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(mixer.mix(constant(0.5, 0.25)), heard, rtol=1e-5, atol=1e-7)


@given(changes=st.lists(st.tuples(st.tuples(MIXES, MIXES), st.integers(0, 300)), min_size=1, max_size=12))
def test_no_change_makes_a_jump(changes: list[tuple[tuple[StemMix, StemMix], int]]):
    mixer = StemMixer(2, RATE)
    pieces = [mixer.mix(constant(0.5, 0.5, count=10))]
    for mixes, count in changes:
        mixer.mixes = mixes
        pieces.append(mixer.mix(constant(0.5, 0.5, count=count)))
    mixed = np.concatenate(pieces, axis=1)
    # Two stems of 0.5, each no faster than from nothing to full in 20 ms.
    assert np.abs(np.diff(mixed)).max(initial=0.0) <= 1 / (0.02 * RATE) + 1e-5


@pytest.mark.parametrize("gain", [-61.0, 13.0, math.nan])
def test_gains_have_a_range(gain: float):
    with pytest.raises(SettingError, match="-60 to 12 dB"):
        StemMix(gain_db=gain)


def test_loud_mixes_are_bent_below_full_scale_and_counted():
    ramp = np.linspace(-3, 3, 6001, dtype=np.float32)[:, None].repeat(2, axis=1)
    limited, count = soft_limit(ramp)
    assert np.abs(limited).max() <= 1
    assert count == np.count_nonzero(np.abs(ramp[:, 0]) > 0.8)
    quiet = np.abs(ramp) <= 0.8
    np.testing.assert_array_equal(limited[quiet], ramp[quiet])
    slopes = np.diff(limited[:, 0]) / 0.001
    assert slopes.min() >= -1e-3
    assert slopes.max() <= 1.01


def test_meters_read_peak_and_rms_and_fall():
    meter = LevelMeter(RATE)
    seconds = np.arange(2 * RATE) / RATE
    meter.push((0.5 * np.sin(2 * np.pi * 200 * seconds)).astype(np.float32)[None])
    assert meter.level.peak == pytest.approx(0.5, rel=0.01)
    assert meter.level.rms == pytest.approx(0.5 / math.sqrt(2), rel=0.01)
    meter.push(np.zeros((1, RATE), dtype=np.float32))
    assert decibels(meter.level.peak) == pytest.approx(decibels(0.5) - 20, abs=0.5)
    assert meter.level.rms < 0.1
    assert decibels(0.0) == FLOOR_DB
