"""int8 weights of graphs: near the float32 ones, and a quarter of their size."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from tatumflow.training.melodies.export.weights import int8_weights


def graph(weight: np.ndarray):
    """Return a graph that multiplies by a large matrix and adds a small one."""
    rows, columns = weight.shape
    bias = np.ones((1, columns), np.float32)
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node("MatMul", ["x", "weight"], ["product"]),
                helper.make_node("Add", ["product", "bias"], ["y"]),
            ],
            "product",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, rows])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, columns])],
            [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
        ),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )


def test_large_matrices_are_quantized_by_row():
    rng = np.random.default_rng(0)
    # Rows of very different sizes need scales of their own.
    weight = (rng.standard_normal((64, 128)) * np.geomspace(1e-3, 10, 64)[:, None]).astype(np.float32)
    exact, small = graph(weight), int8_weights(graph(weight))
    assert len(small.SerializeToString()) < 0.35 * len(exact.SerializeToString())
    assert {t.name for t in small.graph.initializer} == {"weight.int8", "weight.scale", "bias"}
    x = np.eye(64, dtype=np.float32)
    one, other = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"x": x}
        )[0]
        for model in (exact, small)
    )
    error = np.abs(np.asarray(one) - np.asarray(other)).max(axis=1)
    assert (error <= np.abs(weight).max(axis=1) / 127 / 2 + 1e-6).all()
    assert error.max() > 0


def test_small_ones_stay_as_they_are():
    model = graph(np.ones((8, 8), np.float32))
    assert int8_weights(model).graph == model.graph
