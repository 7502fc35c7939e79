"""Which precision is chosen, and that Muon's float32 iteration does what torch's does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from tatumflow.training.config import load_config
from tatumflow.training.fit import muon, precision
from tatumflow.training.fit.muon import Muon, zeroth_power
from tatumflow.training.fit.optimizers import Together, build_optimizer
from tatumflow.training.fit.precision import (
    bf16_speedup,
    choose_precision,
    has_native_bf16,
    missing_cpu_bf16,
)
from tatumflow.training.fit.settings import OptimizerSettings, RunSettings

CONFIGS = Path(__file__).parents[3] / "configs" / "train"
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that emulates bfloat16."""
    monkeypatch.setattr(muon, "has_native_bf16", lambda _: False)


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that computes bfloat16."""
    monkeypatch.setattr(muon, "has_native_bf16", lambda _: True)


def on_a_lesser_machine(**limits: str) -> str:
    command = "from tatumflow.training.fit.precision import choose_precision; print(choose_precision())"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", **limits}
    run = [sys.executable, "-c", command]
    return subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("limit", [{"ATEN_CPU_CAPABILITY": "avx2"}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}])
def test_a_machine_limited_to_avx2_trains_in_float32(limit: dict[str, str]) -> None:
    printed = on_a_lesser_machine(**limit)
    assert printed.startswith("precision 32-true: bfloat16 would be emulated, since ")
    assert "\n" not in printed


def test_avx512_without_bf16_instructions_is_not_native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(precision.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True}, raising=False)
    assert missing_cpu_bf16() == "the CPU has neither AVX512_BF16 nor AMX"


@pytest.mark.parametrize(
    ("missing", "speedup", "chosen"),
    [
        ("", 1.9, "bf16-mixed"),
        ("", 0.6, "32-true"),
        ("the CPU has neither AVX512_BF16 nor AMX", 1.9, "32-true"),
    ],
)
def test_auto_takes_what_the_cpu_computes_faster(
    monkeypatch: pytest.MonkeyPatch, missing: str, speedup: float, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(precision, "missing_cpu_bf16", lambda: missing)
    monkeypatch.setattr(precision, "bf16_speedup", lambda: speedup)
    assert choose_precision("auto").precision == chosen
    assert (missing or f"{speedup:.2f} times") in str(choose_precision("auto"))
    assert has_native_bf16(torch.device("cpu")) == (chosen == "bf16-mixed")
    for requested in ("32-true", "bf16-mixed"):
        assert choose_precision(requested).precision == requested


def test_the_speed_is_measured_once_and_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TATUMFLOW_BF16_SPEEDUP", "")
    bf16_speedup.cache_clear()
    measured = bf16_speedup()
    assert 0 <= measured < 100, "emulated products take up to a hundred times as long"
    assert os.environ["TATUMFLOW_BF16_SPEEDUP"] == f"{measured:.2f}"
    bf16_speedup.cache_clear()
    monkeypatch.setenv("TATUMFLOW_BF16_SPEEDUP", "3.00")
    assert bf16_speedup() == 3.0
    bf16_speedup.cache_clear()


def test_auto_is_the_default_and_no_shipped_configuration_forces_bf16() -> None:
    assert RunSettings().precision == "auto"
    for path in CONFIGS.glob("*.yaml"):
        assert load_config(path).run.precision != "bf16-mixed", path.name


@pytest.mark.parametrize("shape", [(24, 60), (60, 24), (32, 32)])
def test_the_iteration_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = zeroth_power(matrix, COEFFICIENTS, 5, 1e-7)
    assert (found.shape, found.dtype) == (matrix.shape, torch.float32)
    values = torch.linalg.svdvals(found)
    assert 0.5 < values.min() < values.max() < 1.5
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    middle = u.T @ found @ v.T
    assert torch.allclose(middle, middle.diagonal().diag(), atol=1e-4)


def stepped(kind: type[torch.optim.Optimizer], steps: int = 3) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    generator = torch.Generator().manual_seed(1)
    weight = nn.Parameter(torch.randn(24, 40, generator=generator))
    optimizer = kind([weight], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")  # pyright: ignore[reportCallIssue]
    for _ in range(steps):
        weight.grad = torch.randn(24, 40, generator=generator)
        optimizer.step()
    return weight, optimizer


@pytest.mark.usefixtures("emulated")
def test_steps_in_float32_are_those_of_torch_but_for_rounding() -> None:
    own, _ = stepped(Muon)
    torchs, _ = stepped(torch.optim.Muon)
    before, _ = stepped(Muon, steps=0)
    assert (own - torchs).norm() < 0.02 * (own - before).norm()


@pytest.mark.usefixtures("emulated")
def test_no_bfloat16_is_computed_where_it_would_be_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        pytest.fail("bfloat16")

    monkeypatch.setattr(torch.Tensor, "bfloat16", forbidden)
    stepped(Muon)


@pytest.mark.usefixtures("native")
def test_where_bfloat16_is_native_the_steps_are_those_of_torch() -> None:
    assert torch.equal(stepped(Muon)[0], stepped(torch.optim.Muon)[0])


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize(("saved", "loaded"), [(Muon, torch.optim.Muon), (torch.optim.Muon, Muon)])
def test_checkpoints_load_both_ways(
    saved: type[torch.optim.Optimizer], loaded: type[torch.optim.Optimizer]
) -> None:
    _, before = stepped(saved)
    weight, after = stepped(loaded, steps=0)
    after.load_state_dict(before.state_dict())
    buffers = [next(iter(one.state.values()))["momentum_buffer"] for one in (before, after)]
    assert torch.equal(*buffers)
    assert after.state_dict()["param_groups"] == before.state_dict()["param_groups"]
    weight.grad = torch.ones_like(weight)
    after.step()


def test_a_run_steps_by_this_muon() -> None:
    model = nn.ModuleDict({"mlp": nn.Linear(4, 4), "other": nn.Linear(4, 4)})
    optimizer = build_optimizer(model, OptimizerSettings(kind="muon"))
    assert isinstance(optimizer, Together)
    assert any(isinstance(part, Muon) for part in optimizer.parts)
