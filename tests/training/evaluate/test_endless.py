"""An endless context against fresh ones."""

from pathlib import Path

import numpy as np
import pytest
from players import pack_players
from tiny_model import tiny_trained

from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.kv_cache import KVCache
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.training.data.windows import Epoch, Windows
from tatumflow.training.evaluate.likelihood.bundle_nll import stream_states, window_steps
from tatumflow.training.evaluate.parts.endless import STRETCHES, endless_figures
from tatumflow.training.models.tatumflow.stream import TorchDecoder


@pytest.fixture(scope="module")
def decoder(tiny_bundle: Path) -> OnnxDecoder:
    return OnnxDecoder(load_bundle(tiny_bundle))


@pytest.fixture(scope="module")
def epoch(tmp_path_factory: pytest.TempPathFactory) -> Epoch:
    return Windows(pack_players(tmp_path_factory.mktemp("endless") / "packed"), "val", 48, 0).epoch(0)


def test_a_context_can_be_gone_on_with(epoch: Epoch) -> None:
    # In floats: an int8 activation on the edge of two levels falls to either, as the order of a sum has it.
    decoder = TorchDecoder(tiny_trained().model.decoder)
    steps = window_steps(decoder, epoch.window(0))
    whole = stream_states(decoder, steps)
    cache = KVCache(decoder.shape)
    parts = (slice(0, 20), slice(20, None))
    states = [stream_states(decoder, steps.part(part), cache=cache) for part in parts]
    assert np.allclose(np.concatenate(states), whole, atol=1e-4)
    assert cache.length == len(whole)


def test_every_stretch_is_scored_in_both_contexts(decoder: OnnxDecoder, epoch: Epoch) -> None:
    figures = endless_figures(decoder, epoch, 1)["endless"]
    assert figures["steps"] == 48 * STRETCHES
    assert figures["notes_scored"] > 0
    for name in ("nll_endless", "nll_fresh", "step_ms"):
        assert len(figures[name]) == STRETCHES
        assert all(value > 0 for value in figures[name])
    # The first window's contexts are the same.
    one = endless_figures(decoder, epoch, 1)["endless"]
    assert one["difference"][0] == pytest.approx(0, abs=1e-3)
