"""Conditions of phrases: from the phrase before to what the flow draws."""

import numpy as np
import pytest
from mock_phrase_model import LATENT, MockPhraseModel

from tatumflow.engine.arrays import Floats
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.phrases.latent import FLOW_STEPS, encode_phrase, next_code

CALL = [Note(0.25 * i, 0.2, 60 + (5 * i) % 12, 70 + i) for i in range(12)]
STYLE = np.array([0, 1, 0], np.float32)


def drawn(model: MockPhraseModel, seed: int = 0, **settings: object) -> np.ndarray:
    return next_code(model, STYLE, np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


def test_no_surprise_is_the_phrase_itself() -> None:
    model = MockPhraseModel()
    before = encode_phrase(model, CALL)
    assert np.allclose(drawn(model, before=before, surprise=0.0), before.code)


def test_the_condition_leaves_the_phrase_steadily_with_surprise() -> None:
    class Still(MockPhraseModel):
        def velocity(
            self, x: Floats, time: float, style: Floats, before: Floats, requested: Floats
        ) -> Floats:
            return np.zeros_like(x)

    model = Still()
    before = encode_phrase(model, CALL)
    off = [
        float(np.linalg.norm(drawn(model, before=before, surprise=surprise) - before.code))
        for surprise in (0.0, 0.1, 0.25, 0.4, 0.5, 0.75, 1.0)
    ]
    assert off[0] == pytest.approx(0)
    assert (np.diff(off[:5]) > 0).all()
    longest = np.linalg.norm(drawn(model, before=before, surprise=1.0))
    assert longest > np.linalg.norm(drawn(model, before=before, surprise=0.5))


def test_the_flow_is_followed_to_its_end() -> None:
    model = MockPhraseModel()
    arrived = [drawn(model, seed, surprise=0.5) for seed in range(3)]
    assert model.calls == 3 * FLOW_STEPS
    assert np.allclose(arrived[0], arrived[1], atol=1e-4)
    other = next_code(model, np.roll(STYLE, 1), np.random.default_rng(0))
    assert not np.allclose(other, arrived[0], atol=1e-2)


def test_styles_blend_and_guide_by_their_velocities() -> None:
    def towards(*style: float) -> np.ndarray:
        model = MockPhraseModel()
        weights = np.array(style, np.float32)
        return next_code(model, weights, np.random.default_rng(0), surprise=0.5)

    plain, one, other = towards(1, 0, 0), towards(0, 1, 0), towards(0, 0, 1)
    assert np.allclose(towards(0, 0.25, 0.75), 0.25 * one + 0.75 * other, atol=1e-4)
    assert np.allclose(towards(-1, 2, 0), 2 * one - plain, atol=1e-4)


def test_absent_inputs_are_zeros() -> None:
    model = MockPhraseModel()
    drawn(model)
    assert not np.any(model.before)
    assert not np.any(model.requested)
    before = encode_phrase(model, CALL)
    drawn(model, before=before, requested={"rhythm": before.theory[2]})
    assert model.before is not None
    assert model.before[-1] == 1
    assert np.array_equal(np.asarray(model.requested), [0, 0, before.theory[2, 0], 0, 0, 0, 1, 0])


def test_a_long_phrase_is_encoded_from_its_end_and_an_empty_one_refused() -> None:
    model = MockPhraseModel()
    long = [Note(0.1 * i, 0.1, 40 + i, 64) for i in range(40)]
    assert np.allclose(encode_phrase(model, long).code, encode_phrase(model, long[-16:]).code)
    assert encode_phrase(model, CALL).code.shape == (LATENT + 4,)
    with pytest.raises(ValueError, match="without notes"):
        encode_phrase(model, [])
