"""A bundle's weights load into a model that can be trained."""

from pathlib import Path

import pytest
import torch
from tiny_model import tiny_trained

from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.metre import METRE_SIZES
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS
from tatumflow.training.fit.start import start_from
from tatumflow.training.models.tatumflow.model import TatumFlow


def test_a_bundle_gives_the_model_back_within_int8(tiny_bundle: Path) -> None:
    true = tiny_trained().model
    model = TatumFlow(true.config).eval()
    start_from(model, tiny_bundle)
    generator = torch.Generator().manual_seed(0)
    config = true.config

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    fields = torch.randint(30, (2, config.phrase_len, 4), generator=generator)
    role, style, chord = torch.randint(2, (3, 2, config.phrase_len), generator=generator)
    features = torch.rand(5, NUM_FEATURES, generator=generator)
    metre = torch.stack(
        [torch.randint(size, role.shape, generator=generator) for size in METRE_SIZES], dim=-1
    )
    flow = (normal(2, config.code_dim), torch.rand(2), torch.eye(config.num_styles)[:2])
    conditions = (normal(2, config.code_dim + 1), normal(2, len(PARTS) * (config.theory_dim + 1)))
    calls = {
        "decoder": (fields, role, style, chord, metre, normal(2, config.phrase_len, config.phrase_dim)),
        "encoder": (fields, role >= 0),
        "theory": (features,),
        "flow": (*flow, *conditions),
    }
    with torch.no_grad():
        for name, inputs in calls.items():
            expected, found = (getattr(one, name)(*inputs) for one in (true, model))
            for a, b in zip(expected, found, strict=True):
                assert torch.allclose(a, b, atol=0.15), name


def test_other_sizes_are_refused(tiny_bundle: Path) -> None:
    config = tiny_trained().model.config
    with pytest.raises(SettingError, match="other sizes"):
        start_from(TatumFlow(config.model_copy(update={"hidden_dim": 32})), tiny_bundle)


def test_other_families_are_refused(tiny_bundle: Path) -> None:
    with pytest.raises(SettingError, match="family"):
        start_from(torch.nn.Linear(2, 2), tiny_bundle)


def test_only_the_named_parts_begin_there(tiny_bundle: Path) -> None:
    config = tiny_trained().model.config
    torch.manual_seed(1)
    model = TatumFlow(config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start_from(model, tiny_bundle, ["theory"])
    changed = {
        name.partition(".")[0] for name, now in model.state_dict().items() if not now.equal(before[name])
    }
    assert changed == {"theory"}


def test_parts_the_model_lacks_are_refused(tiny_bundle: Path) -> None:
    with pytest.raises(SettingError, match="choose from decoder"):
        start_from(TatumFlow(tiny_trained().model.config), tiny_bundle, ["head"])
