"""The ONNX graph of Spleeter's U-nets as a separator of streams.

One U-net for each stem, of six strided convolutions and six transposed ones with skips between them (Jansson
et al., "Singing voice separation with deep U-net convolutional networks", ISMIR 2017; Hennequin et al.,
"Spleeter", JOSS 2020), estimates the stem's magnitudes from those of the mixture. The stems share the
mixture's spectrum in proportion to their squared estimates. A U-net reads a window of frames; the graph keeps
the last window, and runs on it again for each block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tatumflow.engine.separation.onnx_separator import PLANES_INPUT, STEMS_OUTPUT, state_names
from tatumflow.training.export.errors import ExportError

OPSET: Final = 17
"""ONNX operator set of the graph."""

LEVELS: Final = 6
"""Levels of a U-net, each of which halves frames and bins."""

Tensors = Mapping[str, NDArray[np.float32]]

_SIDES: Final = 2
_STRIDES: Final = [2, 2]
_PADS: Final = [1, 1, 2, 2]
"""Keras pads a strided convolution, 5 wide, by one before and two after."""

_SLOPE: Final = 0.2
"""Slope of the encoder's leaky rectifiers."""

_BATCH_EPSILON: Final = 1e-3
_SHARE_EPSILON: Final = 1e-10
_LAST_REACH: Final = 3
"""Frames that the last convolution, 4 wide and dilated by 2, reads on either side."""

_IR_VERSION: Final = 8
_END: Final = 1 << 30
"""The end of any axis."""

_Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class WindowedUnets:
    """Sizes of U-nets that run on windows of a stream.

    Attributes:
        window: Frames of a U-net's input, a multiple of 64.
        block: New frames of the window in a call, at most all.
        bins: Frequencies of a frame.
        low_bins: The lowest of them, which the U-nets read, a multiple of 64. Above these, the stems share a
            frame as on average below.
    """

    window: int
    block: int
    bins: int
    low_bins: int

    @property
    def states(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the graph's states: the magnitudes of the window without the new frames."""
        past = self.window - self.block
        return ((_SIDES, past, self.low_bins),) if past else ()


def unets_graph(tensors: Tensors, stems: int, settings: WindowedUnets) -> onnx.ModelProto:
    """Return the graph of U-nets for so many stems.

    `tensors` are weights by their Keras names; layers are numbered over all stems.

    Raises:
        ExportError: if a weight is missing or does not fit.
    """
    graph = _Graph()
    first = settings.window - settings.block
    inputs, outputs = state_names(len(settings.states))
    magnitudes = _magnitudes(graph, inputs, outputs, settings)
    mixture = graph.add("Reshape", magnitudes, graph.ints(1, _SIDES, settings.window, settings.low_bins))
    newest = graph.part(mixture, 2, first)
    squares = []
    for stem in range(stems):
        estimate = graph.add("Mul", _mask(graph, _UnetWeights(tensors, stem), mixture, first), newest)
        squares.append(graph.add("Mul", estimate, estimate))
    total = graph.add("Add", graph.add("Sum", *squares), graph.number(_SHARE_EPSILON))
    shares = []
    for square in squares:
        raised = graph.add("Add", square, graph.number(_SHARE_EPSILON / stems))
        shares.append(_extended(graph, graph.add("Div", raised, total), settings))
    planes = [graph.add("Mul", share, part) for part in graph.halves(PLANES_INPUT) for share in shares]
    graph.add("Concat", *planes, output=STEMS_OUTPUT, axis=0)
    spectrum = (settings.bins, settings.block)
    return graph.model(
        {PLANES_INPUT: (2 * _SIDES, *spectrum)} | dict(zip(inputs, settings.states, strict=True)),
        {STEMS_OUTPUT: (2 * _SIDES * stems, *spectrum)} | dict(zip(outputs, settings.states, strict=True)),
    )


class _Graph:
    """Nodes and constants with unique names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: int | float | list[int]) -> str:
        """Add a node, and return its output."""
        name = output or f"{kind.lower()}_{len(self._nodes)}"
        node = helper.make_node(kind, inputs, [name])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        return name

    def halves(self, planes: str) -> tuple[str, str]:
        """Return the first and the second half of planes."""
        names = f"first_{len(self._nodes)}", f"second_{len(self._nodes)}"
        self._nodes.append(helper.make_node("Split", [planes], names, axis=0))
        return names

    def part(self, tensor: str, axis: int, first: int, end: int = _END, output: str = "") -> str:
        """Return part of an axis."""
        bounds = [self.ints(value) for value in (first, end, axis)]
        return self.add("Slice", tensor, *bounds, output=output)

    def ints(self, *values: int) -> str:
        """Return the name of a constant vector."""
        return self.constant(np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        """Return the name of a constant."""
        return self.constant(np.array(value, dtype=np.float32))

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Return the name of a constant of any shape."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def model(self, inputs: _Shapes, outputs: _Shapes) -> onnx.ModelProto:
        """Return the ONNX model."""
        read, written = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
            for side in (inputs, outputs)
        )
        graph = helper.make_graph(self._nodes, "separator", read, written, self._constants)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)


class _UnetWeights:
    """The weights of one stem's U-net, layer by layer."""

    def __init__(self, tensors: Tensors, stem: int) -> None:
        self._tensors = tensors
        self._stem = stem

    def convolution(self, graph: _Graph, layer: int) -> tuple[str, str]:
        """Return kernel and bias of a convolution, 0 to 6, the last after the decoder."""
        return self._kernel(graph, "conv2d", layer, LEVELS + 1)

    def transposed(self, graph: _Graph, layer: int) -> tuple[str, str]:
        """Return kernel and bias of a transposed convolution, 0 to 5."""
        return self._kernel(graph, "conv2d_transpose", layer, LEVELS)

    def normalized(self, graph: _Graph, layer: int, values: str) -> str:
        """Return values normalized by a batch normalization, 0 to 11."""
        name = self._name("batch_normalization", layer, 2 * LEVELS)
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        constants = [graph.constant(self._weight(f"{name}/{part}", 1)) for part in parts]
        return graph.add("BatchNormalization", values, *constants, epsilon=_BATCH_EPSILON)

    def _kernel(self, graph: _Graph, kind: str, layer: int, layers: int) -> tuple[str, str]:
        name = self._name(kind, layer, layers)
        # Keras has the channels last: inputs and outputs, swapped in a transposed convolution.
        kernel = self._weight(f"{name}/kernel", 4).transpose(3, 2, 0, 1)
        return graph.constant(kernel), graph.constant(self._weight(f"{name}/bias", 1))

    def _name(self, kind: str, layer: int, layers: int) -> str:
        number = self._stem * layers + layer
        return f"{kind}_{number}" if number else kind

    def _weight(self, name: str, axes: int) -> NDArray[np.float32]:
        weight = self._tensors.get(name)
        if weight is None or weight.ndim != axes:
            what = "is missing" if weight is None else f"has {weight.ndim} axes, not {axes}"
            raise ExportError(f"checkpoint: {name} {what}; give Spleeter's of two stems")
        return weight


def _magnitudes(graph: _Graph, past: Sequence[str], kept: Sequence[str], settings: WindowedUnets) -> str:
    """Return the magnitudes of the window, (2, window, low_bins)."""
    real, imaginary = graph.halves(graph.add("Mul", PLANES_INPUT, PLANES_INPUT))
    magnitudes = graph.add("Sqrt", graph.add("Add", real, imaginary))
    window = graph.add("Transpose", graph.part(magnitudes, 1, 0, settings.low_bins), perm=[0, 2, 1])
    if past:
        window = graph.add("Concat", *past, window, axis=1)
        graph.part(window, 1, settings.block, output=kept[0])
    return window


def _extended(graph: _Graph, share: str, settings: WindowedUnets) -> str:
    """Return a stem's shares of all bins, (2, bins, block), from (1, 2, block, low_bins) of the low ones."""
    shaped = graph.add("Reshape", share, graph.ints(_SIDES, settings.block, settings.low_bins))
    low = graph.add("Transpose", shaped, perm=[0, 2, 1])
    mean = graph.add("ReduceMean", low, axes=[1], keepdims=1)
    high_bins = settings.bins - settings.low_bins
    spread = graph.add("Expand", mean, graph.ints(_SIDES, high_bins, settings.block))
    return graph.add("Concat", low, spread, axis=1)


def _mask(graph: _Graph, weights: _UnetWeights, mixture: str, first: int) -> str:
    """Return a U-net's mask of a window's frames from one on, (1, 2, frames, low_bins).

    The decoder skips values that affect only frames before it.
    """
    skips: list[str] = []
    values = mixture
    for layer in range(LEVELS):
        skips.append(
            graph.add("Conv", values, *weights.convolution(graph, layer), strides=_STRIDES, pads=_PADS)
        )
        values = graph.add("LeakyRelu", weights.normalized(graph, layer, skips[-1]), alpha=_SLOPE)
    begins = _needed(first)
    values = graph.part(skips.pop(), 2, begins[0])
    for layer, (begin, cut) in enumerate(pairwise(begins)):
        raised = graph.add(
            "ConvTranspose", values, *weights.transposed(graph, layer), strides=_STRIDES, pads=_PADS
        )
        rectified = graph.add("Relu", graph.part(raised, 2, cut - 2 * begin))
        values = weights.normalized(graph, LEVELS + layer, rectified)
        if skips:
            values = graph.add("Concat", graph.part(skips.pop(), 2, cut), values, axis=1)
    last = graph.add(
        "Conv", values, *weights.convolution(graph, LEVELS), dilations=[2, 2], pads=[_LAST_REACH] * 4
    )
    return graph.add("Sigmoid", graph.part(last, 2, first - begins[-1]))


def _needed(first: int) -> list[int]:
    """Return the first required row of the decoder's input, and of each of its layers' outputs.

    A transposed convolution computes row r from those between (r - 3) / 2 and (r + 1) / 2.
    """
    rows = [max(first - _LAST_REACH, 0)]
    for _ in range(LEVELS):
        rows.append(max((rows[-1] - 2) // 2, 0))
    return rows[::-1]
