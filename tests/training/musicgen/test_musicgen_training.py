"""MusicGen through the project's trainer: configuration, training, resumption, evaluation, export."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_musicgen import write_recordings
from transformers import AutoProcessor, MusicgenForConditionalGeneration
from typer import Typer
from typer.testing import CliRunner

from tatumflow.engine.errors import BundleError, CorpusError, SettingError, TatumFlowError
from tatumflow.training.cli import register
from tatumflow.training.config import load_config, parse_config
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.export.errors import ExportError
from tatumflow.training.fit.checkpoint import CheckpointError
from tatumflow.training.models.musicgen.manifest import read_manifest
from tatumflow.training.models.musicgen.pretrained import load_pretrained
from tatumflow.training.musicgen import export
from tatumflow.training.musicgen.checkpoint import open_musicgen
from tatumflow.training.musicgen.evaluation import evaluate_musicgen
from tatumflow.training.musicgen.export import export_musicgen
from tatumflow.training.musicgen.settings import MusicgenRun
from tatumflow.training.recipes import MUSICGEN, recipe_of_model
from tatumflow.training.train import train

CONFIGS = Path(__file__).parents[3] / "configs" / "train"


def config(base: Path, recordings: Path, **changes: Any) -> MusicgenRun:
    content: dict[str, Any] = {
        "family": "musicgen",
        "model": {"base": str(base), "lora": {"rank": 4}},
        "data": {
            "recordings": str(recordings),
            "tokens": str(recordings.parent / "tokens"),
            "seconds": 0.5,
            "batch_size": 2,
            "val_share": 0.25,
        },
        "optimizer": {"lr": 1e-2, "warmup_steps": 2, "weight_decay": 0.0},
        "run": {
            **{"max_epochs": 1000, "max_steps": 6, "precision": "32-true", "ema_decay": 0},
            **{"val_every": 3, "val_batches": 2, "threads": 1, "log_every": 1},
        },
    }
    for section, values in changes.items():
        content[section] = {**content[section], **values}
    parsed = parse_config(content)
    assert isinstance(parsed, MusicgenRun)
    return parsed


@pytest.fixture(scope="module")
def run(tiny_musicgen: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a short run with adapters and an average of their weights."""
    folder = tmp_path_factory.mktemp("runs") / "lora"
    train(config(tiny_musicgen, recordings, run={"ema_decay": 0.9, "max_steps": 12}), folder)
    return folder


def test_the_loss_on_one_clip_falls_to_near_zero(tiny_musicgen: Path, tmp_path: Path):
    clip = write_recordings(tmp_path / "clip", {"clip.wav": "bebop solo"}, seconds=0.3)
    changes: dict[str, Any] = {
        "model": {"method": "full"},
        "data": {"tokens": str(tmp_path / "tokens"), "seconds": 0.3, "caption_dropout": 0.0},
        "run": {"max_steps": 150},
    }
    result = train(config(tiny_musicgen, clip, **changes), tmp_path / "run")
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
    whole = train(config(tiny_musicgen, recordings, **changes), tmp_path / "whole")
    (tmp_path / "resumed").mkdir()
    (whole.run_dir / "step-3.ckpt").rename(tmp_path / "resumed" / "last.ckpt")
    resumed = train(config(tiny_musicgen, recordings, **changes), tmp_path / "resumed", resume=True)
    assert resumed.steps == whole.steps == 5
    ends = [torch.load(run.last, weights_only=True)["state_dict"] for run in (whole, resumed)]
    assert ends[0].keys() == ends[1].keys()
    for name, weight in ends[0].items():
        assert torch.allclose(weight, ends[1][name], atol=1e-6), name


def test_mixed_precision_trains_and_validates(tiny_musicgen: Path, recordings: Path, tmp_path: Path):
    result = train(
        config(tiny_musicgen, recordings, run={"precision": "bf16-mixed", "max_steps": 3}), tmp_path / "run"
    )
    assert {"train/loss", "val/loss", "val/codebook_4"} <= set(result.metrics)
    assert result.best is not None


def test_evaluation_says_what_adapters_and_captions_gain(run: Path, recordings: Path):
    figures = evaluate_musicgen(run, recordings, EvaluationSettings(limit=4))
    low, high = figures["cross-entropy"]["interval"]
    assert low <= figures["cross-entropy"]["value"] <= high
    codebooks = [figures[f"codebook {number}"]["value"] for number in range(1, 5)]
    assert sum(codebooks) / 4 == pytest.approx(figures["cross-entropy"]["value"])
    base = figures["without adapters"]
    assert base["higher by"]["value"] > 0.1
    difference = base["cross-entropy"]["value"] - figures["cross-entropy"]["value"]
    assert base["higher by"]["value"] == pytest.approx(difference)
    assert figures["without captions"]["cross-entropy"]["value"] > 0
    assert (figures["segments"], figures["recordings"]) == (4, 1)


def test_an_export_equals_the_model_with_adapters(
    run: Path, recordings: Path, tiny_musicgen: Path, tmp_path: Path
):
    out = tmp_path / "own"
    manifest = export_musicgen(run / "best.ckpt", out, "own", recordings)
    metrics = {metric.name: metric.value for metric in manifest.metrics}
    assert metrics["merged_error"] < 1e-4
    before = evaluate_musicgen(run, recordings, EvaluationSettings())["cross-entropy"]["value"]
    assert metrics["held_out_cross_entropy"] == pytest.approx(before)
    assert read_manifest(out) == manifest
    assert recipe_of_model(out) is MUSICGEN
    # transformers alone reads the folder: its layers have their usual names, and other weights than before.
    plain, base = (MusicgenForConditionalGeneration.from_pretrained(path) for path in (out, tiny_musicgen))
    assert AutoProcessor.from_pretrained(out)(text=["bebop"], return_tensors="pt")["input_ids"].tolist()
    changed = {
        name
        for name, weight in plain.state_dict().items()
        if not torch.equal(weight, base.state_dict()[name])
    }
    assert changed
    assert all(
        name.split(".")[-2] in {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"} for name in changed
    )
    after = evaluate_musicgen(out, recordings, EvaluationSettings(seed=0))
    assert "without adapters" not in after
    card = (out / "card.md").read_text(encoding="utf-8")
    assert "| licence of the weights | CC BY-NC 4.0 |" in card
    assert "- bebop.wav" in card
    assert "not for commercial use" in card


def test_an_export_that_differs_is_refused(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="differs from the trained one"):
        export_musicgen(run / "last.ckpt", tmp_path / "own", "own")
    assert not (tmp_path / "own").exists()


def test_a_damaged_export_is_refused(run: Path, tmp_path: Path):
    out = tmp_path / "own"
    export_musicgen(run / "last.ckpt", out, "own")
    with pytest.raises(ExportError, match="is exported already"):
        export_musicgen(out, tmp_path / "again", "again")
    with pytest.raises(SettingError, match="--corpus"):
        evaluate_musicgen(out, None, EvaluationSettings())
    weights = bytearray((out / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (out / "model.safetensors").write_bytes(weights)
    with pytest.raises(BundleError, match="differs from its manifest"):
        load_pretrained(str(out))


def test_the_shared_commands_train_evaluate_and_export(tiny_musicgen: Path, recordings: Path, tmp_path: Path):
    app = Typer()
    register(app)
    content = config(tiny_musicgen, recordings, run={"max_steps": 2}).plain()
    (tmp_path / "tiny.yaml").write_text(json.dumps(content), encoding="utf-8")
    folder, figures = str(tmp_path / "run"), tmp_path / "figures.json"
    for command in (
        ["train", str(tmp_path / "tiny.yaml"), "--run", folder],
        ["train", str(tmp_path / "tiny.yaml"), "--run", folder, "--resume", "--set", "run.max_steps=3"],
        ["evaluate", folder, "--json", str(figures), "--limit", "2"],
        ["export", f"{folder}/last.ckpt", "-o", str(tmp_path / "own"), "--name", "own"],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output + str(done.exception)
    assert "own: fine-tuned from tiny, CC BY-NC 4.0" in done.output
    assert "tatumflow evaluate run" in json.loads(figures.read_text(encoding="utf-8"))["command"]
    assert read_manifest(tmp_path / "own").steps == 3


def test_a_checkpoint_whose_base_has_gone_says_so(tiny_musicgen: Path, recordings: Path, tmp_path: Path):
    base = tmp_path / "base"
    shutil.copytree(tiny_musicgen, base)
    result = train(config(base, recordings, run={"max_steps": 1}), tmp_path / "run")
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
        config(Path("base"), Path("recordings"), **{section: changes})


def test_the_configuration_of_the_released_model_is_valid():
    parsed = load_config(CONFIGS / "musicgen-small.yaml")
    assert isinstance(parsed, MusicgenRun)
    assert parsed.model["base"] == "facebook/musicgen-small"


def test_a_run_without_the_weights_says_how_to_get_them(recordings: Path, tmp_path: Path):
    missing = config(Path("example/no-such-musicgen"), recordings)
    with pytest.raises(TatumFlowError, match=r"not in the Hugging Face Hub's cache.*model\.download=true"):
        train(missing, tmp_path / "run")
