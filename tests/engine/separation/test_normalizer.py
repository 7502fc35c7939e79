import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.normalizer import Normalizer


@given(level=st.floats(1e-7, 1e5), seed=st.integers(0, 99))
def test_the_way_back_is_exact_to_the_bit(level: float, seed: int):
    samples = (level * np.random.default_rng(seed).uniform(-1, 1, (2, 50))).astype(np.float32)
    normalizer = Normalizer.of(samples)
    np.testing.assert_array_equal(normalizer.denormalize(normalizer.normalize(samples)), samples)


@given(level=st.floats(1e-3, 1e3))
def test_what_a_model_sees_is_within_three_decibels_of_one(level: float):
    samples = np.full((2, 10), level, dtype=np.float32)
    seen = Normalizer.of(samples).normalize(samples)
    assert 0.7 < float(np.sqrt(np.mean(seen**2))) < 1.42


@pytest.mark.parametrize("samples", [np.zeros((2, 8), np.float32), np.zeros((2, 0), np.float32)])
def test_silence_stays_silence(samples: np.ndarray):
    assert not Normalizer.of(samples).normalize(samples).any()


def test_a_fault_in_the_signal_does_not_reach_the_scale():
    assert Normalizer.of(np.array([np.nan, 1], np.float32)) == Normalizer.of(np.zeros(2, np.float32))


def test_an_exponent_out_of_range_is_refused():
    with pytest.raises(SettingError, match="-14 to 14"):
        Normalizer(15)
