"""Evaluation and export of a fine-tuned MusicGen, and the shared commands."""

import json
from pathlib import Path

import pytest
import torch
from musicgen_runs import run_config
from transformers import AutoProcessor, MusicgenForConditionalGeneration
from typer import Typer
from typer.testing import CliRunner

from tatumflow.engine.errors import BundleError, SettingError
from tatumflow.training.cli import register
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.export.errors import ExportError
from tatumflow.training.models.musicgen.manifest import read_manifest
from tatumflow.training.models.musicgen.pretrained import load_pretrained
from tatumflow.training.musicgen import export
from tatumflow.training.musicgen.evaluation import evaluate_musicgen
from tatumflow.training.musicgen.export import export_musicgen
from tatumflow.training.recipes import MUSICGEN, recipe_of_model

pytestmark = pytest.mark.slow


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
    content = run_config(tiny_musicgen, recordings, run={"max_steps": 2}).plain()
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
