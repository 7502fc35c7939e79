"""Conversion of modules to ONNX models, in float32 and with int8 weights."""

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from tatumflow.engine.model.bundle import (
    DECODER_GRAPH,
    ENCODER_GRAPH,
    FLOW_GRAPH,
    HEAD_GRAPHS,
    THEORY_GRAPH,
)
from tatumflow.engine.model.metre import METRE_SIZES
from tatumflow.engine.model.tokens import FIELD_SIZES
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS
from tatumflow.training.export.graphs import EncoderGraph, FlowGraph, HeadGraph, TrunkGraph, in_matmul_form
from tatumflow.training.models.tatumflow.decoder import FieldHead, TatumFlowDecoder
from tatumflow.training.models.tatumflow.flow import LatentFlow
from tatumflow.training.models.tatumflow.model import TatumFlow
from tatumflow.training.models.tatumflow.phrase_encoder import PhraseEncoder
from tatumflow.training.models.tatumflow.theory_encoder import TheoryEncoder

OPSET = 21
"""ONNX operator set of the graphs: the first whose DequantizeLinear has blocks."""

BLOCK = 64
"""Weights along the input axis that share one int8 scale."""

_SMALLEST_QUANTIZED = 4096
_EXAMPLE_STEPS = 3

Model = onnx.ModelProto


def traced(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    names: Sequence[str],
    outputs: Sequence[str],
    shapes: tuple[object, ...],
) -> Model:
    """Return the graph of a module.

    Args:
        module: The module.
        inputs: Inputs of one call.
        names: Names of the inputs.
        outputs: Names of the outputs.
        shapes: For each input, its free axes, in the form of `torch.export`.
    """
    torch_log = logging.getLogger("torch.onnx")
    level = torch_log.level
    torch_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                inputs,
                dynamo=True,
                input_names=list(names),
                output_names=list(outputs),
                dynamic_shapes=shapes,
                opset_version=OPSET,
                verbose=False,
            )
    finally:
        torch_log.setLevel(level)
    assert program is not None
    return _without_traces(program.model_proto)


def _without_traces(model: Model) -> Model:
    """Remove the tracer's notes on the origin of each node: stack traces name local paths."""
    model.doc_string = ""
    graph = model.graph
    graph.doc_string = ""
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    # Inputs that the model does not read are removed from its graph.
    read = {name for node in graph.node for name in node.input}
    inputs = [part for part in graph.input if part.name in read]
    del graph.input[:]
    graph.input.extend(inputs)
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    return model


def trunk_model(model: TatumFlowDecoder, cache_rows: int) -> Model:
    """Trace the trunk for a cache of `cache_rows` rows; the number of steps stays free."""
    config, n = model.config, _EXAMPLE_STEPS
    angles = torch.zeros(n, config.head_dim // 2)
    rows = torch.zeros(config.num_kv_heads, cache_rows, config.head_dim)
    layers = range(config.num_layers)
    steps = torch.export.Dim("steps", min=1, max=cache_rows)
    by_step = {0: steps}
    return traced(
        TrunkGraph(model, cache_rows),
        (
            torch.zeros(n, len(FIELD_SIZES), dtype=torch.int64),
            torch.zeros(n, dtype=torch.int64),
            torch.zeros(n, config.num_styles),
            torch.zeros(n, dtype=torch.int64),
            torch.zeros(n, len(METRE_SIZES), dtype=torch.int64),
            torch.zeros(n, config.phrase_dim),
            angles,
            angles.clone(),
            torch.zeros(n, cache_rows + n),
            *(rows.clone() for _ in range(2 * config.num_layers)),
        ),
        ["fields", "role", "style", "chord", "metre", "phrase", "cos", "sin", "bias"]
        + [f"past_key_{i}" for i in layers]
        + [f"past_value_{i}" for i in layers],
        ["hidden", "key", "value"],
        (*(by_step,) * 8, {0: steps, 1: steps + cache_rows}, tuple({} for _ in range(2 * config.num_layers))),
    )


def head_model(head: FieldHead, hidden_dim: int) -> Model:
    """Trace one field head; the number of states stays free."""
    rows = {0: torch.export.Dim("rows", min=1, max=65536)}
    known = len(head.known)
    inputs = [torch.zeros(_EXAMPLE_STEPS, hidden_dim)]
    names = ["hidden"]
    if known:
        inputs.append(torch.zeros(_EXAMPLE_STEPS, known, dtype=torch.int64))
        names.append("known")
    if len(head.metre):
        inputs.append(torch.zeros(_EXAMPLE_STEPS, len(METRE_SIZES), dtype=torch.int64))
        names.append("metre")
    if head.chord is not None:
        inputs.append(torch.zeros(_EXAMPLE_STEPS, dtype=torch.int64))
        names.append("chord")
    outputs = ["logits"] if head.landing is None else ["logits", "landing"]
    return traced(HeadGraph(head), tuple(inputs), names, outputs, tuple(rows for _ in names))


def encoder_model(encoder: PhraseEncoder, phrase_len: int) -> Model:
    """Trace the phrase encoder; the number of notes stays free up to `phrase_len`."""
    fields = torch.zeros(_EXAMPLE_STEPS, len(FIELD_SIZES), dtype=torch.int64)
    notes = {0: torch.export.Dim("notes", min=1, max=phrase_len)}
    graph = in_matmul_form(EncoderGraph(encoder))
    return traced(graph, (fields,), ["fields"], ["latent", "latent_log_variance"], (notes,))


def theory_model(theory: TheoryEncoder) -> Model:
    """Trace the theory encoder for one phrase."""
    graph = in_matmul_form(theory)
    return traced(graph, (torch.zeros(NUM_FEATURES),), ["features"], ["embeddings"], ({},))


def flow_model(flow: LatentFlow) -> Model:
    """Trace the flow's velocity for one phrase."""
    config = flow.config
    inputs = (
        torch.zeros(config.code_dim),
        torch.zeros(1),
        torch.zeros(config.num_styles),
        torch.zeros(config.code_dim + 1),
        torch.zeros(len(PARTS) * (config.theory_dim + 1)),
    )
    names = ["x", "time", "style", "before", "asked"]
    return traced(in_matmul_form(FlowGraph(flow)), inputs, names, ["velocity"], tuple({} for _ in names))


def float_models(model: TatumFlow, cache_rows: int) -> dict[str, Model]:
    """Return every graph of the bundle in float32, by graph name."""
    decoder = model.decoder
    graphs = {DECODER_GRAPH: trunk_model(decoder, cache_rows)}
    for name, head in zip(HEAD_GRAPHS, decoder.heads, strict=True):
        assert isinstance(head, FieldHead)
        graphs[name] = head_model(head, decoder.config.hidden_dim)
    graphs[ENCODER_GRAPH] = encoder_model(model.encoder, model.config.phrase_len)
    graphs[THEORY_GRAPH] = theory_model(model.theory)
    graphs[FLOW_GRAPH] = flow_model(model.flow)
    return graphs


def _quantize(weight: NDArray[np.float32], block: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 weights (n, m) and scales (n / block, m), symmetric, so that none clips."""
    blocks = weight.reshape(-1, block, weight.shape[1])
    scale = np.maximum(np.abs(blocks).max(axis=1), 1e-12) / 127
    levels = np.rint(blocks / scale[:, None]).astype(np.int8)
    return levels.reshape(weight.shape), scale.astype(np.float32)


def int8_model(model: Model, block: int = BLOCK) -> Model:
    """Return a copy whose large matrix weights are int8 with a scale per block and column.

    The weights are standard ONNX, DequantizeLinear before MatMul, for any runtime; ONNX Runtime fuses the
    pair into one int8 product on the CPU.
    """
    copy = Model()
    copy.CopyFrom(model)
    graph = copy.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    dequantize = []
    for node in graph.node:
        tensor = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if tensor is None or len(tensor.dims) != 2 or int(np.prod(tensor.dims)) < _SMALLEST_QUANTIZED:
            continue
        values = numpy_helper.to_array(tensor)
        size = block if values.shape[0] % block == 0 else values.shape[0]
        levels, scale = _quantize(values, size)
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(levels, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        dequantize.append(
            helper.make_node(
                "DequantizeLinear", [f"{name}.int8", f"{name}.scale"], [name], axis=0, block_size=size
            )
        )
        del weights[name]
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend([*dequantize, *kept])
    return copy
