"""The six augmentations: each does what it says, and stems and mixture stay consistent."""

import numpy as np
import pytest
from separation_samples import RATE, tones

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stft import stft
from tatumflow.training.separation.data.augmentations import (
    Augmentation,
    gained,
    mixed_up,
    stretched,
    with_gap,
    without_band,
)


def parts(*frequencies: float, length: int = RATE) -> np.ndarray:
    return np.stack([tones(length, frequency).T for frequency in frequencies])


def loudest(samples: np.ndarray) -> float:
    """Return the frequency of the strongest bin, in hertz."""
    inner = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    return float(spectrum.argmax() * RATE / len(inner))


@pytest.mark.parametrize("tempo", [0.8, 1.25])
def test_a_stretch_changes_the_length_and_not_the_pitch(tempo: float):
    out = stretched(parts(440, 1000), RATE, tempo)
    assert out.shape[-1] == pytest.approx(RATE / tempo, abs=2)
    assert [loudest(part[0]) for part in out] == pytest.approx([440, 1000], rel=0.01)


@pytest.mark.parametrize("semitones", [-2.0, 3.0])
def test_a_shift_changes_the_pitch_and_not_the_length(semitones: float):
    out = stretched(parts(440, 1000), RATE, 1.0, semitones)
    assert out.shape[-1] == RATE
    factor = 2 ** (semitones / 12)
    assert [loudest(part[0]) for part in out] == pytest.approx([440 * factor, 1000 * factor], rel=0.01)


def test_a_stretch_moves_all_parts_together():
    given = np.zeros((2, 2, RATE), np.float32)
    given[0, 0, RATE // 2], given[1, 1, RATE // 2] = 1.0, 0.5
    out = np.abs(stretched(given, RATE, 0.8))
    middle = RATE / 2 / 0.8
    assert [out[0, 0].argmax(), out[1, 1].argmax()] == pytest.approx([middle, middle], abs=0.002 * RATE)


def test_gains_scale_each_part_and_swaps_exchange_its_sides():
    given = parts(440, 1000, 80)
    out = gained(given, np.random.default_rng(0), 6.0, 0.0)
    ratios = (out / np.where(given == 0, 1, given))[:, 0, 7]
    assert len(set(ratios.round(3).tolist())) == 3
    np.testing.assert_allclose(out, given * ratios[:, None, None], atol=1e-5)
    np.testing.assert_array_equal(gained(given, np.random.default_rng(0), 0.0, 1.0), given[:, ::-1])


def test_a_masked_band_is_gone_and_the_rest_is_there():
    given = parts(440, 3000)
    bin_of_440 = round(440 / RATE * 2048)
    out = without_band(given, (bin_of_440 - 30) / (1025 - 103), 0.1)
    assert np.abs(out[0, :, 2000:-2000]).max() < 0.05 * np.abs(given[0]).max()
    np.testing.assert_allclose(out[1, :, 2000:-2000], given[1, :, 2000:-2000], atol=2e-3)


def test_a_gap_silences_every_part_at_once():
    given = parts(440, 1000)
    out = with_gap(given, 0.5, 0.1)
    silent = ~out.any(axis=(0, 1))
    places = np.flatnonzero(silent)
    inner = places[places > 0]
    assert len(inner) == pytest.approx(800, abs=8)
    assert (np.diff(inner) == 1).all()
    np.testing.assert_array_equal(out[..., ~silent], given[..., ~silent])


def test_mixup_adds_part_by_part_and_keeps_the_level():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(3, 2, 20_000)).astype(np.float32) for _ in range(2))
    out = mixed_up(a, b, 0.7)
    np.testing.assert_allclose(out[1], np.cos(0.7) * a[1] + np.sin(0.7) * b[1], atol=1e-5)
    assert out.std() == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize(
    "change",
    [lambda x: without_band(x, 0.2, 0.1), lambda x: with_gap(x, 0.3, 0.2), lambda x: mixed_up(x, x, 0.4)],
)
def test_linear_changes_keep_the_mixture_the_sum_of_its_stems(change):
    given = parts(440, 1000, 80)
    alone = change(given.sum(axis=0, keepdims=True))[0]
    np.testing.assert_allclose(change(given).sum(axis=0), alone, atol=1e-4)


def test_the_same_draw_gives_the_same_excerpt_of_the_requested_length():
    augmentation = Augmentation(stretching=1, shifting=1, frequency_masking=1, time_masking=1)
    drawn = augmentation.draw(np.random.default_rng(5), RATE)
    assert drawn == augmentation.draw(np.random.default_rng(5), RATE)
    given = parts(440, 1000, length=drawn.source_length(4000))
    out = drawn.change(given, 4000)
    assert out.shape == (2, 2, 4000)
    np.testing.assert_array_equal(out, drawn.change(given, 4000))
    assert np.abs(stft(out)).max() > 0


def test_no_augmentation_changes_nothing():
    drawn = Augmentation.none().draw(np.random.default_rng(0), RATE)
    given = parts(440, 1000)
    assert drawn.source_length(RATE) == RATE
    np.testing.assert_array_equal(drawn.mix(drawn.change(given, RATE), given[::-1]), given)


def test_values_out_of_range_are_refused():
    with pytest.raises(SettingError, match="most_semitones"):
        Augmentation(most_semitones=13)
    with pytest.raises(SettingError, match="mixing_up"):
        Augmentation(mixing_up=-0.1)
