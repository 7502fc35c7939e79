"""Runs of several machines, each a process of this one: what they learn, save, resume, and how they fail."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from machines import as_nodes, as_slurm, as_torchrun, train_together
from swing_pieces import swing_piece

from tatumflow.engine.errors import SettingError
from tatumflow.training.config import load_config
from tatumflow.training.data.packing import pack
from tatumflow.training.fit.checkpoint import open_checkpoint, read_checkpoint, trained_model
from tatumflow.training.fit.fit import FitResult
from tatumflow.training.fit.precision import bf16_speedup
from tatumflow.training.train import train

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[3] / "configs" / "train"
CONFIG = CONFIGS / "music-transformer.yaml"
STEPS = 4


@pytest.fixture(scope="module", autouse=True)
def slow_bf16() -> Iterator[None]:
    """Have Muon iterate in float32 here as in the other processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TATUMFLOW_BF16_SPEEDUP", "0")
        bf16_speedup.cache_clear()
        yield
    bf16_speedup.cache_clear()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("swing") / "packed"
    pack([swing_piece(), swing_piece(1, bars=8, split="val", name="other")], path)
    return path


def settings(packed: Path, *further: str) -> list[str]:
    """Return a run of one machine whose windows all score as many notes, so that means of means are means."""
    given = {
        "data.packed": packed,
        "data.seq_len": 32,
        "data.batch_size": 4,
        "data.augment": False,
        "data.repeat": "{}",
        "data.frames": "{}",
        "data.guests": 0,
        "data.segments": "null",
        "model.hidden_dim": 32,
        "model.num_layers": 2,
        "model.num_heads": 2,
        "model.mlp_dim": 64,
        "model.max_seq_len": 32,
        "model.dropout": 0,
        "optimizer.kind": "muon",
        "optimizer.warmup_steps": 1,
        "run.precision": "32-true",
        "run.max_epochs": 100,
        "run.max_steps": STEPS,
        "run.val_every": 2,
        "run.ema_decay": 0.9,
        "run.threads": 1,
        "run.checkpoint_every": 2,
    }
    return [*(f"{name}={value}" for name, value in given.items()), *further]


@pytest.fixture(scope="module")
def alone(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    return train(load_config(CONFIG, settings(packed)), tmp_path_factory.mktemp("alone") / "run")


@pytest.fixture(scope="module")
def together(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of the run that two machines made under a strategy, started by hand."""

    @cache
    def run(strategy: str) -> Path:
        folder = tmp_path_factory.mktemp(strategy) / "run"
        overrides = settings(packed, "run.nodes=2", f"run.strategy={strategy}")
        ends = train_together(CONFIG, overrides, folder, as_nodes(2))
        assert [(end.error, end.steps) for end in ends] == [("", STEPS)] * 2
        return folder

    return run


def weights(path: Path, key: str = "current_model_state") -> torch.Tensor:
    """Return all weights of a checkpoint, or their averages, as one vector."""
    return torch.cat([tensor.flatten() for tensor in torch.load(path, weights_only=True)[key].values()])


def assert_equal(one: Path, other: Path) -> None:
    """Check that two checkpoints hold the same weights, averages and optimizer states, but for rounding."""
    a, b = (torch.load(path, weights_only=True) for path in (one, other))
    for key in ("state_dict", "current_model_state", "averaging_state"):
        assert a[key].keys() == b[key].keys()
        for name, tensor in a[key].items():
            torch.testing.assert_close(b[key][name], tensor, atol=1e-5, rtol=1e-4, msg=f"{key} {name}")
    (first,), (second,) = a["optimizer_states"], b["optimizer_states"]
    # Tuples come out of a sharded state as lists.
    assert json.dumps(first["param_groups"]) == json.dumps(second["param_groups"])
    assert first["state"].keys() == second["state"].keys()
    for number, values in first["state"].items():
        for name, value in values.items():
            torch.testing.assert_close(second["state"][number][name], value, atol=1e-5, rtol=1e-3)


@pytest.fixture(scope="module")
def begin(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    """Return the weights before the first step."""
    config = load_config(CONFIG, settings(packed, "run.max_steps=1", "optimizer.lr=1e-12"))
    return weights(train(config, tmp_path_factory.mktemp("begin") / "run").last)


@pytest.fixture
def assert_alike(alone: FitResult, begin: torch.Tensor) -> Callable[[Path], None]:
    """Return the check that a run moved the weights where the run of one machine did.

    Windows differ in how many notes they score, so the mean of two means is not quite the mean of all.
    """

    def check(last: Path) -> None:
        for key in ("state_dict", "current_model_state"):
            moved = (weights(alone.last, key) - begin).norm()
            assert (weights(last, key) - weights(alone.last, key)).norm() < 0.05 * moved

    return check


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_machines_train_as_one_does(
    together: Callable[[str], Path], assert_alike: Callable[[Path], None], strategy: str
) -> None:
    assert_alike(together(strategy) / "last.ckpt")
    assert open_checkpoint(together(strategy) / "best.ckpt").steps == STEPS


def test_shards_and_replicas_end_the_same(together: Callable[[str], Path]) -> None:
    assert_equal(together("ddp") / "last.ckpt", together("fsdp") / "last.ckpt")


@pytest.mark.long
def test_machines_of_two_kinds_orthogonalize_alike(
    packed: Path, together: Callable[[str], Path], tmp_path: Path
) -> None:
    """Where the CPU has bfloat16, one of them would use it: replicas would drift apart."""
    places = as_nodes(2)
    places[0]["TATUMFLOW_BF16_SPEEDUP"] = "9"
    ends = train_together(CONFIG, settings(packed, "run.nodes=2"), tmp_path / "run", places)
    assert [end.error for end in ends] == ["", ""]
    assert_equal(together("ddp") / "last.ckpt", tmp_path / "run" / "last.ckpt")


def read_weights(checkpoint: Path) -> bool:
    """Return whether a checkpoint's weights fit its model and are finite."""
    with read_checkpoint(checkpoint) as content:
        return all(bool(weight.isfinite().all()) for weight in trained_model(content).parameters())


def begun(folder: Path, checkpoint: Path) -> Path:
    """Return the folder of a run that has stopped at a checkpoint."""
    folder.mkdir()
    shutil.copy(checkpoint, folder / "last.ckpt")
    return folder


def test_a_sharded_run_is_resumed_by_one_machine(
    packed: Path,
    together: Callable[[str], Path],
    assert_alike: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    folder = begun(tmp_path / "run", together("fsdp") / "step-2.ckpt")
    resumed = train(load_config(CONFIG, settings(packed)), folder, resume=True)
    assert resumed.steps == STEPS
    assert_alike(resumed.last)


@pytest.mark.long
@pytest.mark.parametrize(
    ("before", "after", "places"),
    [("ddp", "fsdp", as_slurm(2)), ("fsdp", "ddp", as_torchrun(2))],
    ids=["SLURM", "torchrun"],
)
def test_a_run_is_resumed_under_the_other_strategy(
    packed: Path,
    together: Callable[[str], Path],
    tmp_path: Path,
    before: str,
    after: str,
    places: list[dict[str, str]],
) -> None:
    folder = begun(tmp_path / "run", together(before) / "step-2.ckpt")
    overrides = settings(packed, "run.nodes=2", f"run.strategy={after}")
    ends = train_together(CONFIG, overrides, folder, places, resume=True)
    assert [(end.error, end.steps) for end in ends] == [("", STEPS)] * 2
    assert_equal(together(before) / "last.ckpt", folder / "last.ckpt")


@pytest.mark.long
@pytest.mark.parametrize(
    ("family", "small"),
    [
        ("tatumflow-mini", ["data.seq_len=64", "optimizer.accumulate=2"]),
        ("music-vae-2bar", ["model.encoder_dim=16", "model.conductor_dim=16", "model.decoder_dim=16"]),
        ("fractal-small", ["data.width=64", "model.dims=[16, 16, 16, 16]", "model.heads=[2, 2, 2]"]),
    ],
)
def test_other_families_train_sharded(packed: Path, tmp_path: Path, family: str, small: list[str]) -> None:
    overrides = [f"data.packed={packed}", "run.nodes=2", "run.strategy=fsdp", "run.threads=1"]
    overrides += ["data.batch_size=2", "run.precision=32-true", "run.max_steps=2", "run.val_every=2"]
    overrides += ["run.val_batches=1", "run.compile=false", "run.max_epochs=100", *small]
    ends = train_together(CONFIGS / f"{family}.yaml", overrides, tmp_path / "run", as_nodes(2))
    assert [(end.error, end.steps) for end in ends] == [("", 2)] * 2
    assert read_weights(tmp_path / "run" / "last.ckpt")


@pytest.mark.long
def test_the_loss_of_a_machine_is_named_by_the_others(packed: Path, tmp_path: Path) -> None:
    places = as_nodes(2)
    places[1]["LEAVE_AT"] = "1"
    first, second = train_together(CONFIG, settings(packed, "run.nodes=2"), tmp_path / "run", places)
    assert "cannot be reached" in first.error
    assert first.error.startswith("PeerError")
    assert second.error == "ended without a word"


@pytest.mark.parametrize(
    ("place", "overrides", "message"),
    [
        ({}, ["run.nodes=2"], r"MASTER_ADDR, MASTER_PORT, NODE_RANK not in the environment; start the run"),
        (as_nodes(3)[2], ["run.nodes=2"], r"NODE_RANK: '2' is none of 2 machines; allowed: 0 to 1"),
        (as_torchrun(2)[0], [], r"run\.nodes=1, run\.devices=1: differ from the processes .*torchrun"),
        (as_slurm(2)[0], ["run.devices=2"], r"run\.nodes=1, run\.devices=2: differ .*--ntasks-per-node"),
        (as_nodes(2)[0], ["run.nodes=2", "run.precision=auto"], r"run\.precision: auto is measured"),
        (as_torchrun(2)[0], ["run.nodes=2", "run.precision=auto"], r"run\.precision: auto is measured"),
        ({}, ["run.strategy=fsdp"], r"run\.strategy: fsdp shares a model among processes"),
        ({}, ["run.strategy=fsdp", "run.devices=2", "run.compile=true"], r"run\.compile: does not go with"),
    ],
)
def test_settings_that_do_not_fit_the_machines(
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: dict[str, str],
    overrides: list[str],
    message: str,
) -> None:
    for name in set(as_torchrun(2)[0]) | set(as_slurm(2)[0]):
        monkeypatch.delenv(name, raising=False)
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    config = load_config(CONFIG, settings(packed, *overrides))
    with pytest.raises(SettingError, match=message):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_batch_is_shared_by_the_processes_of_all_machines(packed: Path) -> None:
    with pytest.raises(
        SettingError, match=r"run\.devices=2 on each of run\.nodes=4; make it a multiple of 8"
    ):
        load_config(CONFIG, settings(packed, "run.nodes=4", "run.devices=2"))
