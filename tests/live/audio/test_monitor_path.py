"""What is played while stems come in time, late, broken or not at all; on virtual time."""

import tracemalloc
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
import pytest
from band_model import BandModel
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.clock import VirtualClock
from tatumflow.live.audio.monitor_path import MonitorPath
from tatumflow.live.audio.separation_thread import (
    LEAST_ALLOWANCE,
    Separation,
    latency_frames,
    measured_allowance,
)
from tatumflow.live.audio.stem_mixer import StemMix
from tatumflow.live.audio.tally import Tally

RATE = 8000
BLOCK = 64
LOW, HIGH = 200.0, 3000.0


class Rig:
    """A device, a separation and a virtual clock: nothing runs by itself."""

    def __init__(self, rate: int = RATE, allowance: float = 0.05, model: BandModel | None = None) -> None:
        self.rate = rate
        self.model = model or BandModel()
        self.clock = VirtualClock(100.0)
        self.tally = Tally()
        self.notices: list[str] = []
        self.separation = Separation(
            self.model, self.clock, self.tally, lambda text, severity: self.notices.append(text)
        )
        self.latency = latency_frames(self.model, rate, BLOCK, allowance)
        self.fade = round(0.005 * rate)
        self.path = MonitorPath(rate, self.latency, self.fade, self.tally)
        self.separation.connect(self.path)
        self.heard: list[np.ndarray] = []
        self.played: list[np.ndarray] = []
        self.shares: list[float] = []

    def play(
        self,
        seconds: float,
        wave: Callable[[np.ndarray], np.ndarray],
        runs: Callable[[int], bool] = lambda block: True,
        blocks: Iterable[int] | None = None,
    ) -> None:
        """Play a wave (of seconds) into it; the separation runs after those blocks that `runs` names."""
        end = self.path.position + int(seconds * self.rate)
        sizes = iter(blocks or ())
        number = 0
        while self.path.position < end:
            size = next(sizes, BLOCK)
            moments = (self.path.position + np.arange(size)) / self.rate
            block = np.repeat(wave(moments)[:, None], 2, axis=1).astype(np.float32)
            out = np.full((size, 2), np.nan, dtype=np.float32)
            self.path.process(block, out, 100.0 + float(moments[0]))
            self.heard.append(block)
            self.played.append(out)
            self.shares.append(self.path.share)
            self.clock.advance_to(max(self.clock.now(), 100.0 + float(moments[-1])))
            if runs(number):
                while self.separation.step():
                    pass
            number += 1

    @property
    def input(self) -> np.ndarray:
        return np.concatenate(self.heard)

    @property
    def output(self) -> np.ndarray:
        return np.concatenate(self.played)

    @property
    def delayed(self) -> np.ndarray:
        return np.concatenate([np.zeros((self.latency, 2), dtype=np.float32), self.input])[: len(self.input)]


def low_tone(moments: np.ndarray) -> np.ndarray:
    return 0.4 * np.sin(2 * np.pi * LOW * moments)


def both_tones(moments: np.ndarray) -> np.ndarray:
    return low_tone(moments) + 0.1 * np.sin(2 * np.pi * HIGH * moments)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000])
def test_what_goes_in_comes_out_after_the_stated_latency(rate: int):
    rig = Rig(rate)
    rig.play(2, both_tones)
    assert rig.path.share == 1
    assert rig.tally.dropouts == 0
    # A change of rate leaves 0.5 dB of the high tone, which lies at three quarters of the model's band.
    tolerance = 0.002 if rate == rig.model.rate else 0.008
    np.testing.assert_allclose(rig.output, rig.delayed, atol=tolerance)


def test_stems_are_heard_as_they_are_mixed():
    rig = Rig()
    rig.separation.mixer.mixes = (StemMix(), StemMix(muted=True))
    rig.play(2, both_tones)
    seconds = (np.arange(len(rig.input)) - rig.latency) / RATE
    played = slice(RATE, 2 * RATE)
    np.testing.assert_allclose(rig.output[played, 0], low_tone(seconds)[played], atol=0.01)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    stalls=st.lists(st.tuples(st.integers(10, 60), st.integers(1, 200)), max_size=4),
    sizes=st.lists(st.integers(16, 300), max_size=40),
)
def test_however_late_the_separation_is_the_sound_goes_on_without_a_jump(
    stalls: list[tuple[int, int]], sizes: list[int]
):
    rig = Rig(allowance=0.05)
    stalled: set[int] = set()
    at = 0
    for before, length in stalls:
        stalled.update(range(at + before, at + before + length))
        at += before + length
    rig.play((at + 80) * BLOCK / RATE, both_tones, lambda block: block not in stalled, sizes)
    # The stems sum to the mixture, so whichever of the two is played, or both, it is the delayed input.
    np.testing.assert_allclose(rig.output, rig.delayed, atol=0.002)
    assert rig.path.share == 1
    assert rig.tally.dropouts <= len(stalls)


def test_the_dry_signal_fades_in_when_stems_are_late_and_out_when_they_have_caught_up():
    rig = Rig()
    rig.separation.mixer.mixes = (StemMix(muted=True), StemMix(muted=True))
    rig.play(4, lambda moments: np.full(len(moments), 0.5), lambda block: not 200 <= block < 280)
    assert rig.tally.dropouts == 1
    assert (rig.shares[190], min(rig.shares[190:]), rig.shares[-1]) == (1, 0, 1)
    # Without stems it is silent, so that what is played is the dry signal's share.
    heard = rig.output[190 * BLOCK :, 0]
    assert heard[0] == heard[-1] == 0
    np.testing.assert_array_equal(rig.output[230 * BLOCK : 270 * BLOCK], 0.5)
    steps = np.diff(heard)
    assert np.abs(steps).max() <= 0.5 / rig.fade + 1e-6
    assert np.count_nonzero(np.diff(np.sign(steps[steps != 0]))) == 1


@pytest.mark.parametrize("fault", ["nan", "error"])
def test_a_model_that_fails_is_a_dropout(fault: str):
    rig = Rig()
    rig.play(1, both_tones)
    rig.model.fault = fault  # type: ignore[assignment]
    rig.play(1, both_tones)
    assert rig.path.share == 0
    assert rig.tally.dropouts == 1
    assert rig.tally.model_faults >= 3
    assert len(rig.notices) == 1
    assert "you hear the dry signal" in rig.notices[0]
    rig.model.fault = ""
    rig.play(1, both_tones)
    assert rig.path.share == 1
    assert np.isfinite(rig.output).all()
    np.testing.assert_allclose(rig.output, rig.delayed, atol=0.002)


def test_a_separation_that_stood_still_for_seconds_begins_with_what_comes_now():
    rig = Rig()
    rig.play(1, low_tone)
    resets = rig.model.resets
    rig.play(6, low_tone, lambda block: False)
    assert rig.tally.overflow_frames > 0
    rig.play(1, low_tone)
    assert rig.tally.skips == 1
    assert rig.model.resets > resets
    assert rig.path.share == 1
    np.testing.assert_allclose(rig.output, rig.delayed, atol=0.002)


def test_silence_stays_silence_and_costs_nothing_else():
    rig = Rig()
    rig.play(2, np.zeros_like)
    assert np.count_nonzero(rig.output) == 0
    assert rig.tally == Tally(dry_frames=rig.tally.dry_frames)
    assert rig.separation.input_meter.level.peak == 0


def test_bad_numbers_from_the_device_are_silent_and_counted():
    rig = Rig()

    def broken(moments: np.ndarray) -> np.ndarray:
        wave = low_tone(moments)
        wave[(moments > 0.5) & (moments < 0.505)] = np.nan
        wave[(moments > 0.6) & (moments < 0.605)] = np.inf
        return wave

    rig.play(1, broken)
    assert np.isfinite(rig.output).all()
    assert rig.tally.bad_input_frames == np.count_nonzero(~np.isfinite(rig.input[:, 0]))
    assert rig.tally.model_faults == 0


def test_clipping_is_counted_and_the_output_stays_within_full_scale():
    rig = Rig()
    rig.separation.mixer.mixes = (StemMix(gain_db=12.0), StemMix())
    rig.play(2, lambda moments: np.clip(2 * low_tone(moments) * 1.5, -1, 1))
    assert np.abs(rig.output).max() <= 1
    assert rig.tally.input_clips > 0
    assert rig.tally.limited_frames > 0


def test_bypass_is_no_dropout():
    rig = Rig()
    rig.play(1, both_tones)
    rig.path.bypass = True
    rig.play(0.5, both_tones)
    assert rig.path.share == 0
    rig.path.bypass = False
    rig.play(0.5, both_tones)
    assert rig.path.share == 1
    assert rig.tally.dropouts == 0
    np.testing.assert_allclose(rig.output, rig.delayed, atol=0.002)


def test_the_callback_allocates_nothing_that_grows_with_the_block():
    rig = Rig()
    rig.play(1, both_tones)
    heard, played = np.zeros((1024, 2), dtype=np.float32), np.zeros((1024, 2), dtype=np.float32)
    shares: set[float] = set()
    tracemalloc.start()
    try:
        # Stems, the fade out of them, and the dry signal, since the separation stands still.
        for _ in range(8):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            rig.path.process(heard, played, 101.0)
            assert tracemalloc.get_traced_memory()[1] - before < heard.nbytes / 2
            shares.add(rig.path.share)
    finally:
        tracemalloc.stop()
    assert 0.0 in shares
    assert rig.tally.dropouts == 1


@pytest.mark.parametrize(
    ("inputs", "sides", "outputs", "expected"),
    [
        (1, (0, 0), 2, [[1, 1]]),
        (2, (0, 1), 1, [[1.5]]),
        (4, (2, 3), 2, [[3, 4]]),
        (2, (1, 1), 4, [[2, 2, 0, 0]]),
    ],
)
def test_channels_are_mono_stereo_or_chosen(
    inputs: int, sides: tuple[int, int], outputs: int, expected: list[list[float]]
):
    path = MonitorPath(RATE, 100, 8, Tally(), sides)
    heard = np.tile(np.arange(1, inputs + 1) / 10, (300, 1)).astype(np.float32)
    played = np.full((300, outputs), np.nan, dtype=np.float32)
    path.process(heard, played, 0.0)
    assert not played[:100].any()
    np.testing.assert_allclose(played[100:], np.tile(np.array(expected) / 10, (200, 1)), rtol=1e-6)


def test_the_chosen_stem_is_sent_with_its_time():
    rig = Rig()
    heard: list[tuple[np.ndarray, float]] = []
    lost: list[float] = []

    class Listener:
        def hear(self, samples: np.ndarray, time: float) -> None:
            heard.append((samples, time))

        def lose(self, time: float) -> None:
            lost.append(time)

    rig.separation.listener = Listener()
    rig.play(0.5, both_tones)
    assert not heard
    rig.separation.chosen = 0
    rig.play(1, both_tones)
    assert not lost
    first = heard[0][1]
    for (samples, time), (_, later) in pairwise(heard):
        assert later - time == pytest.approx(len(samples) / RATE, abs=1e-3)
    samples = np.concatenate([samples for samples, _ in heard])
    moments = first - 100 + np.arange(len(samples)) / RATE
    np.testing.assert_allclose(samples[100:-100], low_tone(moments)[100:-100], atol=0.02)
    rig.separation.chosen = 1
    rig.play(0.5, both_tones)
    assert len(lost) == 1
    rig.model.fault = "nan"
    rig.play(0.2, both_tones)
    rig.model.fault = ""
    rig.play(0.5, both_tones)
    assert len(lost) == 2


class SlowModel(BandModel):
    """Takes some time of a virtual clock for each call, and much for the first."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds
        self._called = False

    def separate(self, planes: np.ndarray) -> np.ndarray:
        self._clock.advance_to(self._clock.now() + (self._seconds if self._called else 10.0))
        self._called = True
        return super().separate(planes)


@pytest.mark.parametrize(("seconds", "allowance"), [(0.002, LEAST_ALLOWANCE), (0.04, 0.1)])
def test_a_model_is_given_the_time_that_it_takes_once_it_is_warm(seconds: float, allowance: float):
    clock = VirtualClock(0.0)
    assert measured_allowance(SlowModel(clock, seconds), clock) == pytest.approx(allowance)
