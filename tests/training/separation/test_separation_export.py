"""Exported separators: the same model, described, checked, and refused where something is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import typer
from small_separator import small_separator
from typer.testing import CliRunner

from tatumflow.engine.errors import BundleError, CorpusError, SettingError
from tatumflow.engine.separation.bundle import load_separator, separator_path
from tatumflow.engine.separation.onnx_separator import OnnxBlockModel
from tatumflow.engine.separation.streaming import StreamingSeparator
from tatumflow.training.cli import register
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.export.errors import ExportError
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.tfswa_unet.graph import SeparatorGraph
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.checkpoint import TrainedSeparator
from tatumflow.training.separation.data.parts import mixture_of, stems_of
from tatumflow.training.separation.data.stem_folder import read_stem_folder
from tatumflow.training.separation.evaluation.separating import separate_whole
from tatumflow.training.separation.export.export import (
    check_separator,
    export_separator,
    write_separator,
    write_torchscript,
)
from tatumflow.training.separation.quartet.index import Index, SoundFontEntry

pytestmark = pytest.mark.slow

MODEL: dict[str, Any] = {
    "stems": "low,high=mid+top",
    "rate": 8000,
    "window": 64,
    "hop": 16,
    "causal": True,
    "bands": [[16, 2], [16, 4]],
    "channels": [8, 8],
    "time_strides": [2],
    "freq_strides": [3],
    "kernel": [2, 3],
    "num_modules": 1,
    "num_heads": 2,
    "look_back": 4,
    "attention_window": [3, 2],
}


def model(**changes: Any) -> TfswaUnet:
    return small_separator(MODEL | changes)


def checkpoint(path: Path, built: TfswaUnet) -> Path:
    identity = {"family": "tfswa_unet", "model": built.config.model_dump(mode="json"), "config": {}}
    weights = {f"model.{name}": tensor for name, tensor in built.state_dict().items()}
    torch.save({"global_step": 5, "state_dict": weights, CHECKPOINT_KEY: identity}, path)
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    file = checkpoint(folder / "last.ckpt", model())
    export_separator(file, folder / "low-high", "low-high")
    return folder / "low-high"


def test_a_separator_says_what_it_is(exported: Path):
    manifest = load_separator(exported).manifest
    assert manifest.stem_set == model().config.stem_set
    assert (manifest.rate, manifest.block) == (8000, 2)
    assert (manifest.transform.window, manifest.transform.hop) == (64, 16)
    assert {metric.name for metric in manifest.metrics} == {"onnx_error", "streaming_error"}
    assert all(metric.value < 1e-4 for metric in manifest.metrics)
    assert manifest.metrics[0].command == "tatumflow export last.ckpt --name low-high"
    card = (exported / "card.md").read_text()
    assert "low, high (mid + top)" in card
    assert "5 optimizer steps" in card
    assert sorted(path.name for path in exported.iterdir()) == ["card.md", "separator.json", "separator.onnx"]


def test_made_quartets_are_credited_and_measured_on(tmp_path: Path):
    root, rng = tmp_path / "quartets", np.random.default_rng(0)
    sides: tuple[tuple[Split, float], ...] = (("train", 0.1), ("val", 1.0))
    for side, seconds in sides:
        (root / side / "blues").mkdir(parents=True)
        for source in ("low", "mid", "top"):
            sound = rng.uniform(-0.3, 0.3, (round(8000 * seconds), 2))
            soundfile.write(root / side / "blues" / f"{source}.wav", sound, 8000)
        font = SoundFontEntry(name=f"{side}.sf2", family=side, licence="CC0", sha256="0")
        index = Index(split=side, seed=0, rate=8000, soundfonts=(font,), items=())
        (root / side / "index.json").write_text(index.model_dump_json())
    file = checkpoint(tmp_path / "last.ckpt", model())
    manifest = export_separator(file, tmp_path / "low-high", "low-high", quartets=root)
    assert [credit.name for credit in manifest.corpora] == ["wjazzd, as synthetic mixes", "train.sf2"]
    gains = {metric.name: metric.value for metric in manifest.metrics if "gain" in metric.name}
    recording = read_stem_folder(root / "val", model().config.stem_set)[0]
    parts = recording.read(0, recording.length)
    found, true = separate_whole(model(), mixture_of(parts)), stems_of(parts)
    for place, name in enumerate(("low", "high")):
        error, other = found[place] - true[place], mixture_of(parts) - true[place]
        expected = 10 * np.log10(np.square(other).sum() / np.square(error).sum())
        assert gains[f"val_sdr_gain_{name}"] == pytest.approx(expected, abs=0.01)
    assert all(
        metric.command == "tatumflow export last.ckpt --name low-high --corpus QUARTETS"
        for metric in manifest.metrics
    )
    with pytest.raises(CorpusError, match="holds no synthetic mixes"):
        export_separator(file, tmp_path / "other", "other", quartets=tmp_path / "low-high")


def test_it_takes_a_stream_of_samples_as_the_model_takes_the_whole(exported: Path):
    samples = np.random.default_rng(0).uniform(-1, 1, (2, 2000)).astype(np.float32)
    separator = StreamingSeparator(OnnxBlockModel(load_separator(exported)))
    assert separator.latency == model().config.latency
    for _ in range(2):
        pieces = [separator.push(piece) for piece in np.array_split(samples, 17, axis=-1)]
        found = np.concatenate([*pieces, separator.finish()], axis=-1)
        np.testing.assert_allclose(found, separate_whole(model(), samples), atol=1e-4)
        separator.begin()


def test_a_graph_that_does_something_else_is_not_exported(exported: Path):
    other = model()
    with torch.no_grad():
        other.place.add_(0.5)
    with pytest.raises(ExportError, match="onnx_error: the graph differs"):
        check_separator(other, OnnxBlockModel(load_separator(exported)))


def test_a_model_that_looks_ahead_is_not_exported(tmp_path: Path):
    ahead = TrainedSeparator(model(causal=False, kernel=[3, 3]), 1, "folder")
    with pytest.raises(ExportError, match="looks ahead"):
        write_separator(ahead, tmp_path / "out", "ahead", "test")
    with pytest.raises(SettingError, match="reads later frames"):
        write_torchscript(ahead.model, tmp_path / "out.pt")


def test_torchscript_does_what_the_model_does(tmp_path: Path):
    built = model()
    app = typer.Typer()
    register(app)
    command = ["export", str(checkpoint(tmp_path / "last.ckpt", built)), "--out", str(tmp_path / "low-high")]
    done = CliRunner().invoke(app, [*command, "--torchscript", str(tmp_path / "separator.pt")])
    assert done.exit_code == 0, done.output
    script = torch.jit.load(tmp_path / "separator.pt")
    past = [state[0] for state in built.beginning()]
    graph = SeparatorGraph(built)
    for seed in range(3):
        planes = torch.randn(4, 33, 2, generator=torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            expected, found = graph(planes, *past), script(planes, *past)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
        past = list(expected[1:])


def damaged(exported: Path, folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    content = json.loads((exported / "separator.json").read_text())
    (folder / "separator.json").write_text(json.dumps(content | changes))
    (folder / "separator.onnx").write_bytes((exported / "separator.onnx").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "newer than 1; update TatumFlow"),
        ({"stems": [{"name": "Low", "sources": ["low"]}]}, "is no name"),
        ({"hop": 24}, "no multiple of twice the hop"),
        ({"states": [[1 << 20, 1 << 20]]}, "states: .* are more than"),
        ({"name": "../x"}, "name: String should match"),
        ({"further": 1}, "further: Extra inputs"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_reported(
    exported: Path, tmp_path: Path, changes: dict[str, Any], message: str
):
    with pytest.raises(BundleError, match=message) as caught:
        load_separator(damaged(exported, tmp_path / "bad", **changes))
    assert "\n" not in str(caught.value)


def test_damaged_and_missing_files_are_named(exported: Path, tmp_path: Path):
    folder = damaged(exported, tmp_path / "bad")
    (folder / "separator.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"separator\.onnx: differs from its manifest"):
        load_separator(folder)
    (folder / "separator.onnx").unlink()
    with pytest.raises(BundleError, match=r"separator\.onnx: graph file missing"):
        load_separator(folder)
    with pytest.raises(BundleError, match="no manifest; give the folder of an exported separator"):
        load_separator(tmp_path)


def test_states_that_do_not_fit_the_graph_are_found_at_once(exported: Path, tmp_path: Path):
    states = [list(shape) for shape in load_separator(exported).manifest.states]
    states[0][0] += 1
    with pytest.raises(BundleError, match="the graph does not fit"):
        OnnxBlockModel(load_separator(damaged(exported, tmp_path / "bad", states=states)))


def test_separators_are_found_by_folder_and_kind(exported: Path):
    assert separator_path(exported) == exported
    with pytest.raises(BundleError, match="nothing-like-it: no such separator"):
        separator_path("nothing-like-it")


def test_only_a_separator_is_replaced(tmp_path: Path):
    trained = TrainedSeparator(model(), 1, "folder")
    (tmp_path / "kept").mkdir()
    with pytest.raises(ExportError, match="exists and is not a model bundle"):
        write_separator(trained, tmp_path / "kept", "kept", "test")
