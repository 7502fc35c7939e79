"""Small copies of graphs: large weights in int8 with a scale for each row."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

_FEWEST: Final = 4096


def int8_weights(model: ModelProto) -> ModelProto:
    """Return a copy of a graph whose large matrices are int8, dequantized where they are read.

    Scales run along the last axis but one, the outputs of LSTMs and of transposed products. Any runtime folds
    the dequantization once, so that a step costs what it costs in float32.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    dequantize = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < _FEWEST:
            continue
        axis = values.ndim - 2
        levels, scale = _quantized(values, axis)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(levels, f"{tensor.name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{tensor.name}.scale"))
        names = [f"{tensor.name}.int8", f"{tensor.name}.scale"]
        dequantize.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=axis))
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend([*dequantize, *kept])
    return copy


def _quantized(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 levels and symmetric scales along an axis, so that none clips."""
    others = tuple(place for place in range(values.ndim) if place != axis)
    scale = (np.maximum(np.abs(values).max(axis=others), 1e-12) / 127).astype(np.float32)
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.rint(values / scale.reshape(shape)).astype(np.int8), scale
