"""Rates changed as the sound goes, and the clock that gives the time of each frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.live.audio.frame_clock import FrameClock
from tatumflow.live.audio.quick_resampler import QuickResampler
from tatumflow.live.audio.resampler import Resampler, held_back

RATES = [8000, 22_050, 44_100, 48_000, 96_000]


def tone(rate: int, count: int, hertz: float = 440.0) -> np.ndarray:
    wave = np.sin(2 * np.pi * hertz * np.arange(count) / rate)
    return np.stack([wave, 0.5 * wave], axis=1).astype(np.float32)


def passed(resampler: Resampler, frames: np.ndarray, block: int) -> np.ndarray:
    pieces = [resampler.push(frames[first : first + block]) for first in range(0, len(frames), block)]
    return np.concatenate([*pieces, resampler.finish()])


@settings(max_examples=25, deadline=None)
@given(there=st.sampled_from(RATES), back=st.sampled_from(RATES), block=st.integers(1, 3000))
def test_there_and_back_keeps_length_level_and_time(there: int, back: int, block: int):
    frames = tone(there, there // 2)
    middle = passed(Resampler(there, back), frames, block)
    assert abs(len(middle) - back / 2) <= 2
    again = passed(Resampler(back, there), middle, block)
    assert abs(len(again) - len(frames)) <= 2 + there / back
    inside = slice(there // 10, there // 2 - there // 10)
    np.testing.assert_allclose(again[inside], frames[inside], atol=2e-3)


def test_equal_rates_pass_untouched_and_at_once():
    frames = tone(8000, 100)
    assert Resampler(8000, 8000).push(frames) is frames
    assert held_back(8000, 8000) == 0


@pytest.mark.parametrize(("source", "target"), [(48_000, 44_100), (44_100, 48_000), (96_000, 44_100)])
@pytest.mark.parametrize("block", [64, 256, 1000])
def test_no_frame_is_held_back_longer_than_stated(source: int, target: int, block: int):
    resampler, pushed, pulled = Resampler(source, target), 0, 0
    stated = held_back(source, target)
    assert 0 < stated < 0.03
    for _ in range(source // block):
        pushed += block
        pulled += len(resampler.push(np.zeros((block, 2), dtype=np.float32)))
        assert pushed / source - pulled / target <= stated + 1e-3


TRACKERS = [(48_000, 16_000), (44_100, 16_000), (44_100, 22_050), (96_000, 22_050), (8000, 16_000)]


def quickly(source: int, target: int, samples: np.ndarray, blocks: list[int]) -> np.ndarray:
    resampler = QuickResampler(source, target)
    return np.concatenate([resampler.push(piece) for piece in np.split(samples, np.cumsum(blocks))])


@given(rates=st.sampled_from(TRACKERS), blocks=st.lists(st.integers(0, 2000), max_size=20))
@settings(max_examples=25, deadline=None)
def test_a_tracker_hears_the_same_tone_in_blocks_of_any_size(rates: tuple[int, int], blocks: list[int]):
    source, target = rates
    count = sum(blocks) + source // 4
    heard = quickly(source, target, tone(source, count)[:, 0], blocks)
    assert 0 <= count / source - len(heard) / target < 0.003
    expected = tone(target, len(heard))[:, 0]
    np.testing.assert_allclose(heard[target // 100 :], expected[target // 100 :], atol=1e-3)
    np.testing.assert_array_equal(heard, quickly(source, target, tone(source, count)[:, 0], []))


@pytest.mark.parametrize(("source", "target"), TRACKERS[:4])
def test_what_the_lower_rate_cannot_hold_is_not_folded_into_it(source: int, target: int):
    folded = quickly(source, target, tone(source, source, 0.56 * target)[:, 0], [])
    kept = quickly(source, target, tone(source, source, 0.25 * target)[:, 0], [])
    inside = slice(target // 10, -target // 10)
    assert np.abs(folded[inside]).max() < 2e-3
    assert np.abs(kept[inside]).max() == pytest.approx(1, abs=0.01)


def test_a_tracker_of_the_same_rate_hears_at_once():
    samples = tone(16_000, 100)[:, 0]
    assert QuickResampler(16_000, 16_000).push(samples) is samples


@given(jitter=st.lists(st.floats(0, 0.004), min_size=400, max_size=400), drift=st.floats(-2e-4, 2e-4))
@settings(max_examples=20, deadline=None)
def test_frame_clock_smooths_late_callbacks_and_follows_the_rate(jitter: list[float], drift: float):
    clock, rate = FrameClock(48_000), 48_000 * (1 + drift)
    for block, late in enumerate(jitter):
        clock.observe(256 * block, 100.0 + 256 * block / rate + late)
    last = 256 * len(jitter)
    assert abs(clock.time_of(last) - (100.0 + last / rate) - np.mean(jitter)) < 0.003


def test_frame_clock_begins_again_after_a_gap():
    clock = FrameClock(48_000)
    for block in range(100):
        clock.observe(256 * block, 256 * block / 48_000)
    clock.observe(256 * 100, 9.0)
    assert clock.time_of(256 * 100 + 48_000) == pytest.approx(10.0)
