"""What is exported for TensorRT keeps its rules, and what breaks one is found."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

torch = pytest.importorskip("torch")

from tiny_model import export_tiny, tiny_float_models, tiny_trained  # noqa: E402

from tatumflow.engine.model.bundle import DECODER_GRAPH, GPU_SUFFIX, Bundle, load_bundle  # noqa: E402
from tatumflow.engine.model.kv_cache import MAX_STEPS  # noqa: E402
from tatumflow.engine.model.onnx_decoder import OnnxDecoder  # noqa: E402
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel  # noqa: E402
from tatumflow.engine.model.providers import CPU  # noqa: E402
from tatumflow.engine.model.tensorrt import tensorrt_options  # noqa: E402
from tatumflow.training.evaluate.likelihood.bundle_nll import stream_states  # noqa: E402
from tatumflow.training.export import tensorrt_rules  # noqa: E402
from tatumflow.training.export.errors import ExportError  # noqa: E402
from tatumflow.training.export.onnx_files import Model, int8_model  # noqa: E402
from tatumflow.training.export.parity import TOLERANCE, random_steps, windowed_states  # noqa: E402
from tatumflow.training.export.target import Target  # noqa: E402
from tatumflow.training.export.tensorrt_rules import BOUNDS, bundle_findings, findings  # noqa: E402

GPU_GRAPH = DECODER_GRAPH + GPU_SUFFIX


@pytest.fixture(scope="module")
def bundle(tiny_gpu_bundle: Path) -> Bundle:
    return load_bundle(tiny_gpu_bundle)


@pytest.fixture(scope="module")
def options(bundle: Bundle) -> dict[str, str]:
    return tensorrt_options(bundle)


@pytest.fixture
def trunk() -> Model:
    copy = Model()
    copy.CopyFrom(tiny_float_models()[DECODER_GRAPH])
    return copy


def _small(
    node: onnx.NodeProto, kind: int = TensorProto.FLOAT, opset: int = 21, **weights: np.ndarray
) -> Model:
    """Return a graph of one node over an input x of two rows and four columns."""
    given = helper.make_tensor_value_info("x", kind, [2, 4])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(
        helper.make_graph([node], "small", [given], [made], tensors), opset_imports=imports
    )


def test_a_bundle_for_tensorrt_holds_both_trunks(bundle: Bundle, tiny_bundle: Path) -> None:
    files = bundle.manifest.graphs
    assert files[GPU_GRAPH].precision == "fp32"
    assert files[DECODER_GRAPH] == load_bundle(tiny_bundle).manifest.graphs[DECODER_GRAPH]
    assert "fp32 and int8 weights" in (bundle.path / "card.md").read_text()
    assert GPU_GRAPH not in load_bundle(tiny_bundle).manifest.graphs


def test_it_keeps_the_rules(bundle: Bundle) -> None:
    assert bundle_findings(bundle) == []


def test_the_trunk_for_gpus_equals_the_module(bundle: Bundle) -> None:
    files = bundle.manifest.graphs
    alone = bundle.manifest.model_copy(update={"graphs": files | {DECODER_GRAPH: files[GPU_GRAPH]}})
    decoder = OnnxDecoder(Bundle(alone, bundle.path), providers=(CPU,))
    steps = random_steps(decoder.shape, 200, seed=5).steps
    with torch.inference_mode():
        expected = windowed_states(tiny_trained().model.decoder, steps, decoder.shape.window)
    for batch in (1, MAX_STEPS):
        np.testing.assert_allclose(
            stream_states(decoder, steps, batch), expected, rtol=TOLERANCE, atol=TOLERANCE
        )


def test_the_same_bundle_plays_on_the_cpu_with_int8_weights(bundle: Bundle, tiny_bundle: Path) -> None:
    here, there = (OnnxDecoder(one, providers=(CPU,)) for one in (bundle, load_bundle(tiny_bundle)))
    steps = random_steps(here.shape, 20).steps
    np.testing.assert_array_equal(stream_states(here, steps), stream_states(there, steps))
    OnnxPhraseModel(bundle)


def test_int8_weights_by_block_are_found(trunk: Model, options: dict[str, str]) -> None:
    quantized = int8_model(trunk)
    blocks = [node for node in quantized.graph.node if node.op_type == "DequantizeLinear"]
    found = findings(quantized, options)
    assert len(found) == len(blocks) > 0
    assert all("DequantizeLinear" in line and "block" in line for line in found)


def test_the_bundle_for_the_cpu_does_not_keep_the_rules(tiny_bundle: Path) -> None:
    assert any("block" in line for line in bundle_findings(load_bundle(tiny_bundle)))


def test_a_planted_operator_is_found(trunk: Model, options: dict[str, str]) -> None:
    node = next(node for node in trunk.graph.node if node.op_type == "Sigmoid")
    node.op_type = "Bernoulli"
    (line,) = findings(trunk, options)
    assert line.startswith(f"Bernoulli {node.name}: is not among TensorRT")


@pytest.mark.parametrize(
    ("node", "kind", "said"),
    [
        (
            helper.make_node("FastGelu", ["x"], ["y"], domain="com.microsoft"),
            TensorProto.FLOAT,
            "com.microsoft",
        ),
        (helper.make_node("Sigmoid", ["x"], ["y"]), TensorProto.DOUBLE, "DOUBLE"),
        (helper.make_node("Cast", ["x"], ["y"], to=TensorProto.UINT16), TensorProto.FLOAT, "UINT16"),
        (helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"]), TensorProto.FLOAT, "not among"),
        (helper.make_node("LayerNormalization", ["x", "w"], ["y", "m"]), TensorProto.FLOAT, "outputs"),
        (helper.make_node("ReduceMean", ["x", "a"], ["y"]), TensorProto.FLOAT, "must be constant"),
        (
            helper.make_node("MatMulNBits", ["x"], ["y"], domain="com.microsoft"),
            TensorProto.FLOAT,
            "MatMulNBits",
        ),
    ],
)
def test_what_tensorrt_does_not_take_is_found(node: onnx.NodeProto, kind: int, said: str) -> None:
    model = _small(node, kind, w=np.ones(4, np.float32))
    if "a" in node.input:
        model.graph.input.append(helper.make_tensor_value_info("a", TensorProto.INT64, [1]))
    if node.op_type in ("DynamicQuantizeLinear", "Cast"):
        model.graph.output[0].type.tensor_type.elem_type = (
            TensorProto.UINT8 if node.op_type != "Cast" else TensorProto.UINT16
        )
    assert any(said in line for line in findings(model, {}))


@pytest.mark.parametrize(("opset", "sound"), [(8, False), (9, True), (24, True), (25, False)])
def test_operator_sets_have_bounds(opset: int, sound: bool) -> None:
    assert (findings(_small(helper.make_node("Sigmoid", ["x"], ["y"]), opset=opset), {}) == []) == sound


def test_int8_by_channel_without_a_zero_point_is_taken() -> None:
    node = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], axis=1)
    scale = np.ones(4, np.float32)
    assert findings(_small(node, TensorProto.INT8, s=scale, z=np.zeros(4, np.int8)), {}) == [
        "x: of type INT8"
    ]
    shifted = findings(_small(node, TensorProto.INT8, s=scale, z=np.ones(4, np.int8)), {})
    assert any("zero point" in line for line in shifted)


def test_a_free_axis_without_a_profile_is_found(trunk: Model, options: dict[str, str]) -> None:
    less = {
        name: ",".join(part for part in value.split(",") if not part.startswith("bias:"))
        for name, value in options.items()
    }
    assert findings(trunk, less) == [
        "bias: axis 0 (steps) is free and has no profile",
        f"bias: axis 1 (steps + {tiny_trained().model.config.max_seq_len}) is free and has no profile",
    ]
    assert len(findings(trunk, {})) == 10


def test_a_new_input_needs_a_profile(trunk: Model, options: dict[str, str]) -> None:
    trunk.graph.input.append(helper.make_tensor_value_info("extra", TensorProto.FLOAT, ["n", 3]))
    assert findings(trunk, options) == ["extra: axis 0 (n) is free and has no profile"]


@pytest.mark.parametrize(
    ("bound", "old", "new", "said"),
    [
        ("max", ",bias:64x192", "", "needs all of"),
        ("max", "role:64", "role:64x1", "1 axes"),
        ("max", "fields:64x4", "fields:64x5", "fields: axis 1 of size 4"),
        ("min", "role:1", "role:2", "does not grow"),
        ("max", "role:64", "role:64,past:64", "past: has a profile"),
        ("max", "bias:64x192", "bias:64x191", "at the profile's max"),
        ("max", "role:64", "role:63", "at the profile's max"),
    ],
)
def test_a_profile_that_does_not_fit_is_found(
    trunk: Model, options: dict[str, str], bound: str, old: str, new: str, said: str
) -> None:
    key = f"trt_profile_{bound}_shapes"
    assert old in options[key]
    changed = findings(trunk, options | {key: options[key].replace(old, new)})
    assert any(said in line for line in changed)


def test_a_size_that_hangs_on_values_is_found(trunk: Model, options: dict[str, str]) -> None:
    trunk.graph.input.append(helper.make_tensor_value_info("times", TensorProto.INT64, [2]))
    trunk.graph.node.append(helper.make_node("Tile", ["hidden", "times"], ["tiled"]))
    assert findings(trunk, options) == [
        f"Tile tiled: its size is not known at the profile's {bound}" for bound in BOUNDS
    ]


def test_an_export_that_breaks_a_rule_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt_rules, "OPERATORS", {})
    with pytest.raises(ExportError, match=r"TensorRT would refuse the trunk: \w+ .* more$"):
        export_tiny(tmp_path / "tiny", Target.TENSORRT)
    assert not (tmp_path / "tiny").exists()
