"""Interpolation of latents, features and distances of melodies."""

import numpy as np
import pytest
from melody_samples import ARPEGGIO, SCALE, silent

from tatumflow.engine.melodies.features import (
    NUM_STYLE_FEATURES,
    distance,
    features_of,
    pitch_class_distance,
    sounding_pitch,
    style_features,
)
from tatumflow.engine.melodies.interpolation import LatentPath, interpolated
from tatumflow.engine.melodies.melody import Melody, transposed


@pytest.fixture(name="ends")
def two_ends() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((4, 32), np.float32), 2 * rng.standard_normal((4, 32), np.float32)


@pytest.mark.parametrize("path", list(LatentPath))
def test_ways_begin_and_end_where_they_should(ends: tuple[np.ndarray, np.ndarray], path: LatentPath):
    np.testing.assert_allclose(interpolated(*ends, 0.0, path), ends[0], atol=1e-5)
    np.testing.assert_allclose(interpolated(*ends, 1.0, path), ends[1], atol=1e-5)


def test_lengths_go_evenly_on_the_spherical_way_and_shrink_on_the_straight_one(
    ends: tuple[np.ndarray, np.ndarray],
):
    begin, finish = (np.linalg.norm(end, axis=1) for end in ends)
    sphere = np.linalg.norm(interpolated(*ends, 0.5), axis=1)
    np.testing.assert_allclose(sphere, (begin + finish) / 2, rtol=1e-5)
    assert (np.linalg.norm(interpolated(*ends, 0.5, LatentPath.LINEAR), axis=1) < sphere).all()


def test_equal_and_zero_latents_are_no_fault(ends: tuple[np.ndarray, np.ndarray]):
    np.testing.assert_allclose(interpolated(ends[0], ends[0], 0.3), ends[0], rtol=1e-5)
    assert np.isfinite(interpolated(np.zeros_like(ends[0]), ends[0], 0.3)).all()


def test_sounding_pitches_last_until_the_note_ends():
    assert sounding_pitch(SCALE.array)[:5].tolist() == [60, 60, 0, 0, 61]
    assert not sounding_pitch(silent().array).any()


def test_distance_is_the_share_of_other_sounds():
    assert distance(SCALE.array, SCALE.array) == 0
    assert distance(SCALE.array, transposed(SCALE.array, 1)) == 0.5
    assert distance(silent().array, SCALE.array) == (sounding_pitch(SCALE.array) > 0).mean()


def test_features_of_a_melody_of_rests():
    features = features_of(silent())
    assert (features.density, features.sounding) == (0, 0)
    assert np.isnan(features.mean_pitch)
    assert np.isfinite(style_features(silent())).all()


def test_features_say_what_is_played():
    features = features_of(ARPEGGIO)
    assert features.density == 8
    assert features.mean_pitch == pytest.approx(np.mean([note.pitch for note in ARPEGGIO.notes()]))
    assert pitch_class_distance(features, features) == 0
    moved = Melody(tuple(transposed(ARPEGGIO.array, 1).tolist()))
    assert pitch_class_distance(features, features_of(moved)) == 1


def test_style_features_are_blind_to_key_and_register():
    moved = Melody(tuple(transposed(ARPEGGIO.array, 7).tolist()))
    assert style_features(ARPEGGIO).shape == (NUM_STYLE_FEATURES,)
    np.testing.assert_allclose(style_features(moved), style_features(ARPEGGIO), atol=1e-6)
    assert np.abs(style_features(SCALE) - style_features(ARPEGGIO)).max() > 0.2
