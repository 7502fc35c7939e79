"""Check of a graph against TensorRT's documented rules, which needs no GPU.

Operators and types: ONNX-TensorRT, docs/operators.md for TensorRT 10.15. Blocks of weights: TensorRT's
operators reference 10.1, Dequantize. Profiles: TensorRT's IOptimizationProfile, and ONNX Runtime's provider,
which requires a profile of every input with a free axis if it gets any. A graph without a finding may still
be refused on a machine with a GPU; one with a finding would run in parts there, or not at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper, shape_inference

from tatumflow.engine.model.bundle import DECODER_GRAPH, Bundle
from tatumflow.engine.model.tensorrt import tensorrt_options
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.onnx_files import Model

OPSETS: Final = range(9, 25)
"""Operator sets that TensorRT 10.15 reads."""

BOUNDS: Final = ("min", "opt", "max")
"""The points at which a profile gives the sizes of every input."""

Profile = Mapping[str, tuple[int, ...]]

_FLOATS: Final = frozenset((TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16))
_NUMBERS: Final = _FLOATS | {TensorProto.INT32, TensorProto.INT64}
_ANY: Final = _NUMBERS | {TensorProto.BOOL}
_BOOL: Final = frozenset((TensorProto.BOOL,))
_INT8: Final = frozenset((TensorProto.INT8,))

_REDUCTIONS: Final = tuple(
    f"Reduce{kind}"
    for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")
)

# Operators whose restrictions are not checked below are left out.
OPERATORS: Final[Mapping[str, frozenset[int]]] = {
    **dict.fromkeys(
        ("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Sin", "Sinh"), _FLOATS
    ),
    **dict.fromkeys(("Tan", "Tanh", "Ceil", "Floor", "Round", "Exp", "Log", "Sqrt", "Erf"), _FLOATS),
    **dict.fromkeys(("Reciprocal", "Clip", "Celu", "Elu", "Selu", "HardSigmoid", "HardSwish"), _FLOATS),
    **dict.fromkeys(("LeakyRelu", "PRelu", "Sigmoid", "Softplus", "Softsign", "ThresholdedRelu"), _FLOATS),
    **dict.fromkeys(("Softmax", "LogSoftmax", "BatchNormalization", "InstanceNormalization"), _FLOATS),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "RMSNormalization"), _FLOATS),
    **dict.fromkeys(("MatMul", "Gemm", "Einsum", "Conv", "ConvTranspose", "CumSum", "IsInf"), _FLOATS),
    **dict.fromkeys(("Abs", "Neg", "Sign", "Relu", "Add", "Sub", "Mul", "Div", "Mod", "Pow"), _NUMBERS),
    **dict.fromkeys(("Min", "Max", "Sum", "Mean", "Range", "Pad", "ArgMin", "ArgMax", "IsNaN"), _NUMBERS),
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"), _NUMBERS),
    **dict.fromkeys(_REDUCTIONS, _NUMBERS),
    **dict.fromkeys(("Concat", "Split", "Slice", "Gather", "GatherElements", "GatherND", "Tile"), _ANY),
    **dict.fromkeys(("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Trilu"), _ANY),
    **dict.fromkeys(("Identity", "Cast", "Shape", "Size", "Where", "ReverseSequence"), _ANY),
    **dict.fromkeys(("And", "Or", "Xor", "Not"), _BOOL),
    "DequantizeLinear": _INT8,
}
"""Allowed data types of each operator's first input."""

_CONSTANT_INPUT: Final = {**dict.fromkeys((*_REDUCTIONS, "Squeeze", "Unsqueeze", "CumSum"), 1)}
"""Index of an operator's input that must be constant."""


def check_tensorrt(bundle: Bundle) -> None:
    """Check the trunk that the engine gives to TensorRT.

    Raises:
        ExportError: if TensorRT would refuse it.
    """
    found = bundle_findings(bundle)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ExportError(f"{bundle.name}: TensorRT would refuse the trunk: {found[0]}{more}")


def bundle_findings(bundle: Bundle) -> list[str]:
    """Return the reasons for which TensorRT would refuse the trunk of a bundle, a line each."""
    model = onnx.load(str(bundle.graph_path(DECODER_GRAPH, gpu=True)))
    return findings(model, tensorrt_options(bundle))


def findings(model: Model, options: Mapping[str, str]) -> list[str]:
    """Return the reasons for which TensorRT would refuse a graph, a line each.

    `options` are those of ONNX Runtime's TensorRT provider, with the profiles.
    """
    profiles = {bound: _profile(options, bound) for bound in BOUNDS}
    unsound = [*_model_findings(model), *_operator_findings(model), *_profile_findings(model, profiles)]
    return unsound or list(_shape_findings(model, profiles))


def _profile(options: Mapping[str, str], bound: str) -> Profile:
    """Return the sizes of each input in an option such as "a:1x4,b:1"."""
    parts = (part.rpartition(":") for part in options.get(f"trt_profile_{bound}_shapes", "").split(","))
    return {name: tuple(map(int, sizes.split("x"))) for name, _, sizes in parts if name}


def _type_name(kind: int) -> str:
    return TensorProto.DataType.Name(kind) if kind else "unknown"


def _inputs(model: Model) -> list[ValueInfoProto]:
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def _model_findings(model: Model) -> Iterator[str]:
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version not in OPSETS:
            yield f"operator set {opset.version}: TensorRT reads {OPSETS.start} to {OPSETS.stop - 1}"
    for value in (*_inputs(model), *model.graph.output):
        kind = value.type.tensor_type.elem_type
        if kind not in _ANY:
            yield f"{value.name}: of type {_type_name(kind)}"


def _operator_findings(model: Model) -> Iterator[str]:
    """Yield the nodes that TensorRT refuses."""
    try:
        known = shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
    except shape_inference.InferenceError as error:
        yield f"shapes cannot be inferred: {str(error).strip().partition(chr(10))[0]}"
        return
    weights = {tensor.name: tensor for tensor in known.initializer}
    types = {name: tensor.data_type for name, tensor in weights.items()}
    values = (*known.input, *known.value_info, *known.output)
    types |= {value.name: value.type.tensor_type.elem_type for value in values}
    for node in known.node:
        what = _node_finding(node, types, weights)
        if what:
            yield f"{node.op_type} {node.name or node.output[0]}: {what}"


def _node_finding(node: NodeProto, types: Mapping[str, int], weights: Mapping[str, TensorProto]) -> str:
    """Return why TensorRT refuses a node; empty if it accepts it."""
    if node.domain not in ("", "ai.onnx"):
        return f"is an operator of {node.domain}"
    accepted = OPERATORS.get(node.op_type)
    if accepted is None:
        return "is not among TensorRT's documented operators"
    data = [node.input[0], *(node.output[:1] if node.op_type == "Cast" else ())]
    wrong = [_type_name(types.get(name, 0)) for name in data if types.get(name, 0) not in accepted]
    if wrong:
        return f"accepts no {wrong[0]}"
    place = _CONSTANT_INPUT.get(node.op_type, 0)
    if place and place < len(node.input) and node.input[place] and node.input[place] not in weights:
        return f"input {place} must be constant"
    if node.op_type == "LayerNormalization" and len([name for name in node.output if name]) > 1:
        return "has more outputs than one"
    if node.op_type == "DequantizeLinear":
        return _blocks(node, weights)
    return ""


def _blocks(node: NodeProto, weights: Mapping[str, TensorProto]) -> str:
    """Return why TensorRT refuses the scales of int8 weights; empty if it accepts them."""
    scale, zero = weights.get(node.input[1]), weights.get(node.input[2]) if len(node.input) > 2 else None
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if attributes.get("block_size", 0) or scale is None or len(scale.dims) > 1:
        return "scales int8 by block; one scale for each channel is the most"
    if len(node.input) > 2 and (zero is None or np.any(numpy_helper.to_array(zero))):
        return "has a zero point"
    return ""


def _profile_findings(model: Model, profiles: Mapping[str, Profile]) -> Iterator[str]:
    """Yield inputs with free axes outside the profiles, and profiles that do not fit their inputs."""
    inputs = _inputs(model)
    for name in {name for profile in profiles.values() for name in profile} - {one.name for one in inputs}:
        yield f"{name}: has a profile and is no input"
    for value in inputs:
        axes = value.type.tensor_type.shape.dim
        free = [i for i, axis in enumerate(axes) if not axis.HasField("dim_value")]
        stated = [profile[value.name] for profile in profiles.values() if value.name in profile]
        if not stated:
            for i in free:
                yield f"{value.name}: axis {i} ({axes[i].dim_param or 'unnamed'}) is free and has no profile"
        elif len(stated) < len(BOUNDS):
            yield f"{value.name}: a profile needs all of {', '.join(BOUNDS)}"
        elif any(len(sizes) != len(axes) for sizes in stated):
            yield f"{value.name}: a profile has other than its {len(axes)} axes"
        else:
            yield from (
                f"{value.name}: axis {i} of size {axis.dim_value} is another in its profile"
                for i, axis in enumerate(axes)
                if i not in free and {sizes[i] for sizes in stated} != {axis.dim_value}
            )
            if any(
                low > high
                for small, large in pairwise(stated)
                for low, high in zip(small, large, strict=True)
            ):
                yield f"{value.name}: its profile does not grow from {' to '.join(BOUNDS)}"


def _shape_findings(model: Model, profiles: Mapping[str, Profile]) -> Iterator[str]:
    """Yield the values whose sizes do not follow from the inputs' at a point of the profile."""
    for bound, profile in profiles.items():
        sized = _sized(model, profile)
        try:
            graph = shape_inference.infer_shapes(
                sized, check_type=True, strict_mode=True, data_prop=True
            ).graph
        except shape_inference.InferenceError as error:
            yield f"at the profile's {bound}: {str(error).strip().partition(chr(10))[0]}"
            continue
        shaped = {value.name for value in (*graph.value_info, *graph.output) if _is_known(value)}
        yield from (
            f"{node.op_type} {node.name or name}: its size is not known at the profile's {bound}"
            for node in graph.node
            for name in node.output
            if name and name not in shaped
        )


def _sized(model: Model, profile: Profile) -> Model:
    """Return a copy whose inputs have the sizes of a profile and whose outputs have none stated."""
    copy = Model()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    for value in copy.graph.input:
        for axis, size in zip(value.type.tensor_type.shape.dim, profile.get(value.name, ()), strict=False):
            axis.dim_value = size
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    return copy


def _is_known(value: ValueInfoProto) -> bool:
    shape = value.type.tensor_type
    axes: Sequence[onnx.TensorShapeProto.Dimension] = shape.shape.dim
    return shape.HasField("shape") and all(axis.HasField("dim_value") for axis in axes)
