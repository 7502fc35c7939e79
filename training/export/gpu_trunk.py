"""A float32 trunk for GPUs, made from a bundle's int8 weights."""

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

from tatumflow.engine.model.bundle import (
    DECODER_GRAPH,
    GPU_SUFFIX,
    MANIFEST_FILE,
    Bundle,
    Manifest,
    load_bundle,
)
from tatumflow.engine.model.kv_cache import MAX_STEPS
from tatumflow.engine.model.model_folder import Metric
from tatumflow.engine.model.providers import CPU
from tatumflow.training.export.card import CARD_FILE, commands, section
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.files import whole_folder, write_graphs
from tatumflow.training.export.onnx_files import Model
from tatumflow.training.export.parity import TOLERANCE, random_steps
from tatumflow.training.export.tensorrt_rules import check_tensorrt
from tatumflow.training.export.write import write_manifest
from tatumflow.training.models.bundle_weights import graph_weights

_ON_A_GPU: Final = """\
`{file}` holds the trunk's int8 weights as float32, for TensorRT and CUDA; the CPU does not read it. Made with

{command}"""


def is_bundle(folder: Path) -> bool:
    """Return whether a folder has the manifest of a bundle."""
    return (folder / MANIFEST_FILE).is_file()


def float_trunk(bundle: Bundle) -> Model:
    """Return the bundle's trunk with float32 weights; int8 ones are scaled back."""
    path = bundle.graph_path(DECODER_GRAPH)
    model, weights = onnx.load(str(path)), graph_weights(path)
    graph = model.graph
    scaled = [node for node in graph.node if node.op_type == "DequantizeLinear"]
    stored = {name for node in scaled for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name not in stored]
    nodes = [node for node in graph.node if node.op_type != "DequantizeLinear"]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.initializer.extend(
        numpy_helper.from_array(weights[node.output[0]], node.output[0]) for node in scaled
    )
    graph.node.extend(nodes)
    return model


def add_gpu_trunk(folder: Path, out: Path, name: str = "") -> Manifest:
    """Write a copy of a bundle with a trunk for GPUs to the folder `out`, in place of a bundle there.

    Args:
        folder: Folder of the bundle.
        out: Folder of the copy.
        name: Name of the copy; that of the bundle by default.

    Raises:
        BundleError: if the bundle is damaged.
        ExportError: if TensorRT would refuse the trunk, it differs from that of the CPU, or `out` cannot be
            written.
    """
    bundle = load_bundle(folder)
    name = name or bundle.name
    command = f"tatumflow export {folder.name} --name {name} --target tensorrt"
    with whole_folder(out) as new:
        for graph in bundle.manifest.graphs.values():
            shutil.copy2(folder / graph.file, new)
        added = write_graphs(new, {DECODER_GRAPH + GPU_SUFFIX: float_trunk(bundle)}, "fp32")
        graphs = bundle.manifest.graphs | added
        copy = Bundle(bundle.manifest.model_copy(update={"name": name, "graphs": graphs}), new)
        check_tensorrt(copy)
        error = Metric(name="gpu_states_error", value=_difference(copy), command=command)
        metrics = (*(m for m in bundle.manifest.metrics if m.name != error.name), error)
        manifest = copy.manifest.model_copy(update={"metrics": metrics})
        write_manifest(new, manifest)
        card = (folder / CARD_FILE).read_text(encoding="utf-8") if (folder / CARD_FILE).is_file() else ""
        file = graphs[DECODER_GRAPH + GPU_SUFFIX].file
        card += section("On a GPU", _ON_A_GPU.format(file=file, command=commands(command)))
        (new / CARD_FILE).write_text(card, encoding="utf-8")
    return manifest


def _difference(bundle: Bundle) -> float:
    """Return the largest difference of the two trunks' outputs, relative for values above 1.

    Raises:
        ExportError: if it exceeds `TOLERANCE`.
    """
    feed = _random_feed(bundle)
    ours, cpus = (_outputs(bundle.graph_path(DECODER_GRAPH, gpu=gpu), feed) for gpu in (True, False))
    error = max(
        float((np.abs(a - b) / np.maximum(np.abs(b), 1)).max()) for a, b in zip(ours, cpus, strict=True)
    )
    if not error <= TOLERANCE:
        raise ExportError(f"{bundle.name}: the trunks differ by {error:.2g}, above {TOLERANCE:g}")
    return error


def _random_feed(bundle: Bundle) -> dict[str, NDArray[np.generic]]:
    """Return inputs of one call over a full cache."""
    shape, rng = bundle.shape, np.random.default_rng(0)
    count = min(MAX_STEPS, shape.cache_rows)
    steps = random_steps(shape, count).steps
    angles = rng.uniform(0, 2 * np.pi, (count, shape.head_dim // 2))
    feed: dict[str, NDArray[np.generic]] = {
        **steps._asdict(),
        "cos": np.cos(angles).astype(np.float32),
        "sin": np.sin(angles).astype(np.float32),
        "bias": np.zeros((count, shape.cache_rows + count), np.float32),
    }
    rows = (shape.num_kv_heads, shape.cache_rows, shape.head_dim)
    for layer in range(shape.num_layers):
        for kind in ("key", "value"):
            feed[f"past_{kind}_{layer}"] = rng.standard_normal(rows).astype(np.float32)
    return feed


def _outputs(file: Path, feed: dict[str, NDArray[np.generic]]) -> list[NDArray[np.float32]]:
    """Run a graph without optimization, in which ONNX Runtime would round activations to int8 too."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(file, settings, providers=[CPU])
    return session.run(None, feed)  # pyright: ignore[reportReturnType]
