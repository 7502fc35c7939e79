"""What the optimizer steps, and at which rate."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tatumflow.engine.model.tokens import FIELDS
from tatumflow.training.config import load_config
from tatumflow.training.fit.optimizers import build_optimizer
from tatumflow.training.fit.settings import OptimizerSettings
from tatumflow.training.models import build_model
from tatumflow.training.models.tatumflow.model import TatumFlow

OUTPUT = re.compile(r"heads\.\d\.((out|landing)\.)?weight$")
CONFIGS = Path(__file__).parents[3] / "configs" / "train"


def small_model(family: str) -> nn.Module:
    config = load_config(CONFIGS / f"{family}.yaml")
    return build_model(config.family, {"num_styles": 3, **config.model})


@pytest.mark.parametrize("family", ["tatumflow-mini", "music-transformer"])
def test_every_parameter_is_stepped_once_at_its_rate(family: str) -> None:
    model = small_model(family)
    settings = OptimizerSettings(kind="muon", lr=1e-3, embedding_lr_ratio=20, output_lr_ratio=4)
    optimizer = build_optimizer(model, settings)
    stepped = [(id(p), group["lr"]) for group in optimizer.param_groups for p in group["params"]]
    rates = dict(stepped)
    assert len(stepped) == len(rates)
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    outputs = 0
    for name, parameter in model.named_parameters():
        is_output = OUTPUT.search(name) is not None
        outputs += is_output
        ratio = 20 if id(parameter) in tables else 4 if is_output else 1
        assert rates[id(parameter)] == pytest.approx(1e-3 * ratio), name
    # TatumFlow's time shift has a second output, for the places where shifts land.
    assert outputs == len(FIELDS) + (family == "tatumflow-mini")


def test_a_step_moves_tables_further_at_a_higher_rate() -> None:
    moved = []
    for ratio in (1, 10):
        torch.manual_seed(0)
        model = small_model("tatumflow-mini")
        assert isinstance(model, TatumFlow)
        table = model.decoder.field_embeddings[1].get_parameter("weight")
        before = table.detach().clone()
        optimizer = build_optimizer(model, OptimizerSettings(lr=1e-3, embedding_lr_ratio=ratio))
        table.sum().backward()
        optimizer.step()
        moved.append((table.detach() - before).abs().mean().item())
    assert moved[1] == pytest.approx(10 * moved[0], rel=1e-3)


def stepped() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = small_model("tatumflow-mini")
    optimizer = build_optimizer(model, OptimizerSettings(kind="muon"))
    torch.stack([parameter.sum() for parameter in model.parameters()]).sum().backward()
    optimizer.step()
    return model, optimizer


def test_two_optimizers_are_saved_and_loaded_as_one() -> None:
    model, optimizer = stepped()
    saved = optimizer.state_dict()
    parameters = list(model.parameters())
    assert len(saved["state"]) == len(parameters)
    other = build_optimizer(model, OptimizerSettings(kind="muon"))
    other.load_state_dict(saved)
    for parameter in parameters:
        assert other.state[parameter].keys() == optimizer.state[parameter].keys()
    before = [parameter.detach().clone() for parameter in parameters]
    other.param_groups[0]["lr"] = 0.0
    other.step()
    kept = {id(parameter) for parameter in other.param_groups[0]["params"]}
    for parameter, was in zip(parameters, before, strict=True):
        assert parameter.equal(was) == (id(parameter) in kept)


def test_the_state_of_an_older_checkpoint_is_loaded() -> None:
    model, optimizer = stepped()
    saved = optimizer.state_dict()
    first, *others = saved["param_groups"]
    count = len(first["params"])
    older = [
        {"state": {n: saved["state"][n] for n in range(count)}, "param_groups": [first]},
        {
            "state": {n - count: values for n, values in saved["state"].items() if n >= count},
            "param_groups": [{**group, "params": [n - count for n in group["params"]]} for group in others],
        },
    ]
    other = build_optimizer(model, OptimizerSettings(kind="muon"))
    other.load_state_dict({"parts": older})
    for parameter in model.parameters():
        for name, value in optimizer.state[parameter].items():
            assert other.state[parameter][name].equal(value)
