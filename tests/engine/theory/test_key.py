"""The key of the moment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.midi.notes import PITCH_LOWEST, Note
from tatumflow.engine.phrases.latent import in_c
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS, notes_features, relative_to_key
from tatumflow.engine.theory.key import diatonicity, key_of, parse_key, relative_shift

MAJOR = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11)).astype(int)


@pytest.mark.parametrize("key", range(12))
def test_a_major_scale_is_in_its_key(key: int) -> None:
    assert key_of(np.roll(MAJOR, key)) == key
    assert diatonicity(np.roll(MAJOR, key)) == pytest.approx(diatonicity(MAJOR))


def test_the_chromatic_scale_is_in_none() -> None:
    assert diatonicity(np.ones(12)) == pytest.approx(0, abs=1e-9)
    assert key_of(np.zeros(12)) == 0


@given(st.lists(st.integers(0, 40), min_size=12, max_size=12), st.integers(0, 11))
def test_the_key_moves_with_the_music(counts: list[int], shift: int) -> None:
    array = np.array(counts)
    if diatonicity(array) < 0.05:
        return
    found = key_of(array)
    assert (key_of(np.roll(array, shift)) - found - shift) % 12 in (0, 11, 1), "a tie may go either way"


@given(st.integers(0, 87), st.integers(0, 11))
def test_pitches_come_to_c_and_stay_on_the_keyboard(pitch: int, key: int) -> None:
    moved = int(in_c(np.array([pitch]), key)[0])
    assert 0 <= moved < 88
    assert (moved - pitch + key) % 12 == 0
    assert abs(moved - pitch) < 12
    assert -6 <= relative_shift(key) <= 5


@pytest.mark.parametrize("key", [0, 3, 7, 11])
def test_harmony_relative_to_the_key_is_that_of_the_phrase_in_c(key: int) -> None:
    phrase = [Note(0.3 * i, 0.25, 60 + step, 70) for i, step in enumerate((0, 4, 7, 9, 5, 2, 11))]
    moved = [Note(n.onset, n.duration, n.pitch + key, n.velocity) for n in phrase]
    expected, found = notes_features(phrase), relative_to_key(notes_features(moved), key)
    harmony = PARTS[0].slice
    assert found[harmony] == pytest.approx(expected[harmony], abs=1e-6)
    assert found.shape == (NUM_FEATURES,)
    assert PITCH_LOWEST == 21


@pytest.mark.parametrize(
    ("name", "tonic", "minor"),
    [
        ("C", 0, False),
        ("Eb", 3, False),
        ("f#m", 6, True),
        ("C minor", 0, True),
        ("B♭ major", 10, False),
        ("Cb", 11, False),
    ],
)
def test_keys_are_read_by_name(name: str, tonic: int, minor: bool) -> None:
    assert parse_key(name) == (tonic, minor)
