"""Bundles made to do harm: nothing in them is run but ONNX, and no file outside of them is read."""

import hashlib
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._path),)


@pytest.fixture
def folder(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def put(folder: Path, graph: str, content: bytes) -> None:
    """Put content in the place of a graph, its hash included."""
    (folder / f"{graph}.onnx").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["graphs"][graph] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def graph_with_data_at(location: str) -> bytes:
    """Return a graph that adds four numbers from a file."""
    onnx = pytest.importorskip("onnx")
    weight = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4])
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    helper = onnx.helper
    node = helper.make_node("Add", ["x", "w"], ["y"])
    ends = [[helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4])] for name in "xy"]
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(helper.make_graph([node], "sum", *ends, [weight]), opset_imports=[opset])
    model.ir_version = 8
    return model.SerializeToString()


@pytest.mark.parametrize("graph", ["decoder", "head_pitch", "flow"])
def test_a_pickle_in_the_place_of_a_graph_is_not_opened(folder: Path, tmp_path: Path, graph: str):
    trap = tmp_path / "sprung"
    put(folder, graph, pickle.dumps(Trap(trap)))
    bundle = load_bundle(folder)
    with pytest.raises(BundleError, match=rf"{graph}\.onnx.*cannot run it"):
        OnnxPhraseModel(bundle) if graph == "flow" else OnnxDecoder(bundle)
    assert not trap.exists()


def test_a_pickle_in_the_place_of_the_manifest_is_not_opened(folder: Path, tmp_path: Path):
    trap = tmp_path / "sprung"
    (folder / "manifest.json").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(BundleError, match="not JSON"):
        load_bundle(folder)
    assert not trap.exists()


@pytest.mark.parametrize("absolute", [False, True])
def test_a_graph_that_reads_a_file_outside_of_its_bundle_is_refused(
    folder: Path, tmp_path: Path, absolute: bool
):
    outside = tmp_path / "outside.bin"
    np.arange(4, dtype=np.float32).tofile(outside)
    put(folder, "decoder", graph_with_data_at(str(outside) if absolute else "../outside.bin"))
    with pytest.raises(BundleError, match="cannot run it") as caught:
        OnnxDecoder(load_bundle(folder))
    assert "\n" not in str(caught.value)
