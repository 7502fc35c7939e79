"""Conditions of the decoder on phrases, and the probes."""

from pathlib import Path

import numpy as np
import pytest
from players import pack_players

from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.windows import Epoch, Windows
from tatumflow.training.evaluate.parts.latent_figures import (
    CONDITIONS,
    ProbedPhrases,
    latent_figures,
    phrase_codes,
    phrase_conditions,
    probes,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> PackedCorpus:
    return pack_players(tmp_path_factory.mktemp("phrases") / "packed")


@pytest.fixture(scope="module")
def model(tiny_bundle: Path) -> OnnxPhraseModel:
    return OnnxPhraseModel(load_bundle(tiny_bundle))


@pytest.fixture(scope="module")
def epoch(corpus: PackedCorpus, tiny_bundle: Path) -> Epoch:
    return Windows(corpus, "val", 64, 0).epoch(0)


def test_the_decoder_is_conditioned_on_the_table(model: OnnxPhraseModel, epoch: Epoch) -> None:
    window = epoch.window(0)
    codes = phrase_codes(model, window)
    conditions = phrase_conditions(model, window, codes, np.random.default_rng(0))
    assert set(conditions) == set(CONDITIONS)
    assert not conditions["nothing"].any()
    assert np.array_equal(conditions["theory"] + conditions["latent"], conditions["both"])
    assert not conditions["latent"][:, model.shape.latent_dim :].any()
    assert not conditions["theory"][:, : model.shape.latent_dim].any()
    for i, code in enumerate(codes):
        assert conditions["both"][i].any() == (code is not None)
        assert conditions["flow"][i].any() == (code is not None)


def test_every_condition_is_scored_on_the_same_notes(
    tiny_bundle: Path, model: OnnxPhraseModel, epoch: Epoch
) -> None:
    figures = latent_figures(OnnxDecoder(load_bundle(tiny_bundle)), model, epoch, 2)
    nll = figures["latent_nll"]
    assert nll["notes"] > 0
    assert nll["nothing"]["gain"]["value"] == 0
    for condition in CONDITIONS[1:]:
        gain = nll["nothing"]["value"] - nll[condition]["value"]
        assert nll[condition]["gain"]["value"] == pytest.approx(gain, abs=1e-9)
    assert figures["latent_active"]["of"] == model.shape.latent_dim


def test_probes_find_what_is_there_and_only_that() -> None:
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(400, 12))
    features = rng.normal(size=(400, NUM_FEATURES))
    harmony = PARTS[0].slice
    features[:, harmony] = latent @ rng.normal(size=(12, harmony.stop - harmony.start))
    theory = rng.normal(size=(400, len(PARTS), 3))
    found = probes(ProbedPhrases(latent, theory, features, np.arange(400) // 10))
    assert found["latent"]["harmony"] > 0.95
    assert found["latent"]["melody"] < 0.1
    assert found["harmony"]["harmony"] < 0.1
