"""A bundle without a checkpoint gets a trunk for GPUs out of its own weights."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import typer
from onnx import numpy_helper
from typer.testing import CliRunner, Result

torch = pytest.importorskip("torch")

from tatumflow.engine.errors import BundleError, TatumFlowError  # noqa: E402
from tatumflow.engine.model.bundle import DECODER_GRAPH, GPU_SUFFIX, load_bundle  # noqa: E402
from tatumflow.engine.model.onnx_decoder import OnnxDecoder  # noqa: E402
from tatumflow.engine.model.providers import CPU  # noqa: E402
from tatumflow.training.cli import register  # noqa: E402
from tatumflow.training.evaluate.likelihood.bundle_nll import stream_states  # noqa: E402
from tatumflow.training.export import gpu_trunk  # noqa: E402
from tatumflow.training.export.errors import ExportError  # noqa: E402
from tatumflow.training.export.gpu_trunk import add_gpu_trunk, float_trunk  # noqa: E402
from tatumflow.training.export.onnx_files import Model  # noqa: E402
from tatumflow.training.export.parity import TOLERANCE, random_steps  # noqa: E402
from tatumflow.training.export.tensorrt_rules import bundle_findings  # noqa: E402
from tatumflow.training.recipes import recipe_of  # noqa: E402

GPU_GRAPH = DECODER_GRAPH + GPU_SUFFIX


def _export(folder: Path, out: Path) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["export", str(folder), "--out", str(out), "--target", "tensorrt"])


def test_the_command_adds_a_trunk_that_keeps_the_rules(tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "gpu"
    assert _export(tiny_bundle, out).output == f"tiny: 9 graphs, in {out}\n"
    made, before = load_bundle(out), load_bundle(tiny_bundle)
    assert bundle_findings(made) == []
    assert made.manifest.graphs.pop(GPU_GRAPH).precision == "fp32"
    assert made.manifest.graphs == before.manifest.graphs
    errors = {metric.name: metric.value for metric in made.manifest.metrics}
    assert 0 <= errors["gpu_states_error"] <= TOLERANCE
    card = (out / "card.md").read_text()
    assert card.startswith((tiny_bundle / "card.md").read_text())
    assert "--target tensorrt" in card
    steps = random_steps(made.shape, 20).steps
    after, expected = (stream_states(OnnxDecoder(one, providers=(CPU,)), steps) for one in (made, before))
    np.testing.assert_array_equal(after, expected)


def test_another_name_and_a_second_time(tiny_bundle: Path, tmp_path: Path) -> None:
    first = add_gpu_trunk(tiny_bundle, tmp_path / "one", "other")
    again = add_gpu_trunk(tmp_path / "one", tmp_path / "one")
    assert (first.name, again.name) == ("other", "other")
    assert first.graphs == again.graphs
    assert len(first.metrics) == len(again.metrics)


def test_a_trunk_with_other_weights_is_not_written(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(bundle: object) -> Model:
        model = float_trunk(load_bundle(tiny_bundle))
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "down.0")
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 1.01, "down.0"))
        return model

    monkeypatch.setattr(gpu_trunk, "float_trunk", changed)
    with pytest.raises(ExportError, match="the trunks differ"):
        add_gpu_trunk(tiny_bundle, tmp_path / "gpu")
    assert not list(tmp_path.iterdir())


def test_a_damaged_bundle_is_refused_in_one_line(tiny_bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bundle, copy)
    (copy / "decoder.onnx").write_bytes(b"cut")
    with pytest.raises(BundleError, match=r"decoder\.onnx: differs from its manifest"):
        add_gpu_trunk(copy, tmp_path / "gpu")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


def test_no_scales_are_left_behind(tiny_bundle: Path) -> None:
    model = float_trunk(load_bundle(tiny_bundle))
    onnx.checker.check_model(model, full_check=True)
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used


def test_a_separator_is_not_for_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tatumflow.training.recipes.recipe_of_model", lambda _: recipe_of("tfswa_unet"))
    error = _export(tmp_path / "last.ckpt", tmp_path / "out").exception
    assert isinstance(error, TatumFlowError)
    assert "last.ckpt predicts no notes" in str(error)
