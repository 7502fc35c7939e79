"""MusicGen through the project's trainer: it learns, is saved, and resumes."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from musicgen_runs import run_config
from tiny_musicgen import write_recordings

from tatumflow.engine.errors import CorpusError, SettingError, TatumFlowError
from tatumflow.training.config import load_config
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.fit.checkpoint import CheckpointError
from tatumflow.training.musicgen.checkpoint import open_musicgen
from tatumflow.training.musicgen.evaluation import evaluate_musicgen
from tatumflow.training.musicgen.settings import MusicgenRun
from tatumflow.training.train import train

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[3] / "configs" / "train"


def test_the_loss_on_one_clip_falls_to_near_zero(tiny_musicgen: Path, tmp_path: Path):
    clip = write_recordings(tmp_path / "clip", {"clip.wav": "bebop solo"}, seconds=0.3)
    changes: dict[str, Any] = {
        "model": {"method": "full"},
        "data": {"tokens": str(tmp_path / "tokens"), "seconds": 0.3, "caption_dropout": 0.0},
        "optimizer": {"lr": 2e-2},
        "run": {"max_steps": 90},
    }
    result = train(run_config(tiny_musicgen, clip, **changes), tmp_path / "run")
    assert result.best is None, "one clip has no held-out side"
    figures = evaluate_musicgen(result.last, None, EvaluationSettings(split="train"))
    assert figures["cross-entropy"]["value"] < 0.05
    for codebook in range(1, 5):
        assert figures[f"codebook {codebook}"]["value"] < 0.1
    with pytest.raises(CorpusError, match="val side has no recordings"):
        evaluate_musicgen(result.last, None, EvaluationSettings())


def test_a_checkpoint_holds_the_trained_weights_alone(run: Path):
    content = torch.load(run / "last.ckpt", weights_only=True)
    for state in (content["state_dict"], content["current_model_state"]):
        assert state
        assert all("lora_" in name for name in state)
    opened = open_musicgen(run)
    assert (opened.steps, opened.recordings, opened.seconds) == (12, tuple(sorted(opened.recordings)), 9.0)


@pytest.mark.parametrize(("method", "ema"), [("lora", 0.9), ("full", 0)])
def test_a_resumed_run_ends_as_one_that_never_stopped(
    tiny_musicgen: Path, recordings: Path, tmp_path: Path, method: str, ema: float
):
    changes: dict[str, Any] = {
        "model": {"method": method, "lora": {"rank": 2, "dropout": 0.1}, "checkpointing": method == "full"},
        "data": {"caption_dropout": 0.5},
        "optimizer": {"accumulate": 2},
        "run": {"checkpoint_every": 3, "max_steps": 5, "ema_decay": ema},
    }
    whole = train(run_config(tiny_musicgen, recordings, **changes), tmp_path / "whole")
    (tmp_path / "resumed").mkdir()
    (whole.run_dir / "step-3.ckpt").rename(tmp_path / "resumed" / "last.ckpt")
    resumed = train(run_config(tiny_musicgen, recordings, **changes), tmp_path / "resumed", resume=True)
    assert resumed.steps == whole.steps == 5
    ends = [torch.load(run.last, weights_only=True)["state_dict"] for run in (whole, resumed)]
    assert ends[0].keys() == ends[1].keys()
    for name, weight in ends[0].items():
        assert torch.allclose(weight, ends[1][name], atol=1e-6), name


def test_mixed_precision_trains_and_validates(tiny_musicgen: Path, recordings: Path, tmp_path: Path):
    result = train(
        run_config(tiny_musicgen, recordings, run={"precision": "bf16-mixed", "max_steps": 3}),
        tmp_path / "run",
    )
    assert {"train/loss", "val/loss", "val/codebook_4"} <= set(result.metrics)
    assert result.best is not None


def test_a_checkpoint_whose_base_has_gone_says_so(tiny_musicgen: Path, recordings: Path, tmp_path: Path):
    base = tmp_path / "base"
    shutil.copytree(tiny_musicgen, base)
    result = train(run_config(base, recordings, run={"max_steps": 1}), tmp_path / "run")
    shutil.rmtree(base)
    with pytest.raises(CheckpointError, match="no such MusicGen model"):
        open_musicgen(result.last)


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        ("model", {"lora": {"rank": 0}}, r"model\.lora\.rank"),
        ("model", {"lora": {"targets": ["q"]}}, r"model\.lora\.targets"),
        ("model", {"method": "half"}, r"model\.method"),
        ("data", {"seconds": 31}, r"data\.seconds"),
        ("optimizer", {"kind": "muon"}, "trained with adamw"),
        ("run", {"compile": True}, r"run\.compile"),
        ("run", {"start_from": "other.ckpt"}, r"model\.base"),
        ("run", {"train_parts": ["decoder"]}, r"model\.method"),
    ],
)
def test_a_setting_that_does_not_apply_is_refused(section: str, changes: dict[str, Any], message: str):
    with pytest.raises(SettingError, match=message):
        run_config(Path("base"), Path("recordings"), **{section: changes})


def test_the_configuration_of_the_released_model_is_valid():
    parsed = load_config(CONFIGS / "musicgen-small.yaml")
    assert isinstance(parsed, MusicgenRun)
    assert parsed.model["base"] == "facebook/musicgen-small"


def test_a_run_without_the_weights_says_how_to_get_them(recordings: Path, tmp_path: Path):
    missing = run_config(Path("example/no-such-musicgen"), recordings)
    with pytest.raises(TatumFlowError, match=r"not in the Hugging Face Hub's cache.*model\.download=true"):
        train(missing, tmp_path / "run")
