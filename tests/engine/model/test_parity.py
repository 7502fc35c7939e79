"""The exported graphs compute what the trained module does, in any batching."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.model.bundle import Bundle, load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel

torch = pytest.importorskip("torch")

from tiny_model import STYLES, tiny_float_models, tiny_trained  # noqa: E402

from tatumflow.training.evaluate.likelihood.bundle_nll import stream_states  # noqa: E402
from tatumflow.training.export.files import write_graphs  # noqa: E402
from tatumflow.training.export.parity import (  # noqa: E402
    TOLERANCE,
    check_parity,
    divergence,
    random_steps,
    windowed_states,
)
from tatumflow.training.export.write import describe  # noqa: E402


@pytest.fixture(scope="module")
def exact_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny model's graphs in float32."""
    folder = tmp_path_factory.mktemp("float")
    graphs = write_graphs(folder, tiny_float_models(), "fp32")
    return Bundle(describe("tiny", tiny_trained().model.config, STYLES, graphs, "-"), folder)


@pytest.fixture(scope="module")
def exact(exact_bundle: Bundle) -> OnnxDecoder:
    return OnnxDecoder(exact_bundle)


@pytest.fixture(scope="module")
def quantized(tiny_bundle: Path) -> OnnxDecoder:
    return OnnxDecoder(load_bundle(tiny_bundle))


def _states(decoder: OnnxDecoder, count: int, batch: int) -> np.ndarray:
    return stream_states(decoder, random_steps(decoder.shape, count, seed=3).steps, batch)


def test_float_graphs_equal_the_module(exact: OnnxDecoder, exact_bundle: Bundle) -> None:
    errors = check_parity(tiny_trained().model, exact, OnnxPhraseModel(exact_bundle))
    assert 0 < max(asdict(errors).values()) <= TOLERANCE


def test_a_blend_of_styles_equals_the_module(exact: OnnxDecoder) -> None:
    blend = np.tile(np.array([0, 0.75, 0, 0.25], np.float32), (20, 1))
    steps = random_steps(exact.shape, 20).steps._replace(style=blend)
    found = stream_states(exact, steps)
    with torch.inference_mode():
        expected = windowed_states(tiny_trained().model.decoder, steps, exact.shape.window)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    one = stream_states(exact, steps._replace(style=np.eye(4, dtype=np.float32)[[1] * 20]))
    assert np.abs(found - one).max() > 1e-2


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_int8_graphs_are_fed_alike_one_step_or_many(quantized: OnnxDecoder, batch: int) -> None:
    # The kernels for few and for many rows round the activations differently.
    np.testing.assert_allclose(_states(quantized, 200, batch), _states(quantized, 200, 32), atol=0.05)


def test_int8_weights_stay_close(exact: OnnxDecoder, quantized: OnnxDecoder) -> None:
    difference = np.abs(_states(quantized, 200, 64) - _states(exact, 200, 64))
    assert 0 < difference.max() < 0.15
    assert divergence(exact, quantized, 64) < 1e-3


def test_equal_calls_give_equal_bits(quantized: OnnxDecoder) -> None:
    np.testing.assert_array_equal(_states(quantized, 50, 16), _states(quantized, 50, 16))
