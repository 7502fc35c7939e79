"""Trainable weights from the ONNX graphs of a bundle."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from tatumflow.engine.model.bundle import (
    DECODER_GRAPH,
    ENCODER_GRAPH,
    FLOW_GRAPH,
    HEAD_GRAPHS,
    THEORY_GRAPH,
    load_bundle,
)

_MODULATIONS = 4
_MATRIX = ".matrix"


def graph_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return a graph's floating-point weights by name; int8 ones are dequantized."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}
    weights = {name: array for name, array in found.items() if array.dtype == np.float32}
    for name in [name for name in found if name.endswith(".int8")]:
        levels, scale = found[name], found[name.removesuffix(".int8") + ".scale"]
        rows = np.repeat(scale, len(levels) // len(scale), axis=0)
        weights[name.removesuffix(".int8")] = levels.astype(np.float32) * rows
    return weights


def decoder_state(folder: Path, layers: int, head_dim: int) -> dict[str, Tensor]:
    """Return the decoder's weights from a bundle's graphs, by `TatumFlowDecoder`'s names.

    In the graphs the gains of the normalizations are folded into the modulations, and the queries' scale into
    their projection (see `graphs`); the returned weights compute the same with gains of 1.

    Args:
        folder: Folder of the bundle.
        layers: Blocks of the decoder.
        head_dim: Width of an attention head.
    """
    trunk = graph_weights(folder / f"{DECODER_GRAPH}.onnx")
    hidden = len(trunk["gain"])
    state = {name: value for name, value in trunk.items() if "embedding" in name}
    inputs = ("phrase_condition", "phrase_input", "style_input")
    state |= {f"{name}.weight": trunk[name].T for name in inputs}
    state["style_embedding.weight"] = trunk["styles"]
    state["norm.weight"] = trunk["gain"]
    modulation = np.split(trunk["modulation"].T, layers)
    shifts = np.split(trunk["modulation_bias"], layers)
    for i in range(layers):
        qkv = trunk[f"qkv.{i}"].T.copy()
        qkv[:hidden] *= head_dim**0.5
        bias = shifts[i].reshape(_MODULATIONS, hidden).copy()
        bias[[0, 2]] -= 1
        block = f"blocks.{i}"
        state |= {
            f"{block}.attention.qkv.weight": qkv,
            f"{block}.attention.out.weight": trunk[f"out.{i}"].T,
            f"{block}.attention.sink": trunk[f"sink.{i}"][:, :, 0],
            f"{block}.mlp.gate_up.weight": trunk[f"gate_up.{i}"].T,
            f"{block}.mlp.down.weight": trunk[f"down.{i}"].T,
            f"{block}.modulation.weight": modulation[i],
            f"{block}.modulation.bias": bias.reshape(-1),
            f"{block}.norm_attention.weight": np.ones(hidden, np.float32),
            f"{block}.norm_mlp.weight": np.ones(hidden, np.float32),
        }
    for i, name in enumerate(HEAD_GRAPHS):
        head = graph_weights(folder / f"{name}.onnx")
        state |= {
            f"heads.{i}.{key}": value
            for key, value in head.items()
            if "." in key and not key.endswith((".scale", _MATRIX))
        }
        state |= {
            f"heads.{i}.{key.removesuffix(_MATRIX)}.weight": value.T
            for key, value in head.items()
            if key.endswith(_MATRIX)
        }
        state |= {
            f"heads.{i}.norm.weight": head["gain"],
            f"heads.{i}.mlp.gate_up.weight": head["gate_up"].T,
            f"heads.{i}.mlp.down.weight": head["down"].T,
            f"heads.{i}.out.weight": head["out"].T,
            f"heads.{i}.out.bias": head["out_bias"],
        }
    return {name: torch.tensor(np.ascontiguousarray(value)) for name, value in state.items()}


def phrase_state(folder: Path) -> dict[str, Tensor]:
    """Return the weights of encoder, theory encoder and flow from a bundle's graphs, by `TatumFlow`'s names.

    A bundle lacks the decoders of the theory, which only training needs.
    """
    state = {}
    for graph, prefix in ((ENCODER_GRAPH, ""), (THEORY_GRAPH, "theory."), (FLOW_GRAPH, "")):
        for name, value in graph_weights(folder / f"{graph}.onnx").items():
            if name.endswith(_MATRIX):
                state[f"{prefix}{name.removesuffix(_MATRIX)}.weight"] = value.T
            elif name.endswith((".weight", ".bias")):
                state[prefix + name] = value
    return {name: torch.tensor(np.ascontiguousarray(value)) for name, value in state.items()}


def bundle_state(folder: Path) -> dict[str, Tensor]:
    """Return all weights of a bundle's graphs, by `TatumFlow`'s names.

    Raises:
        BundleError: if the folder is not a whole bundle.
    """
    dims = load_bundle(folder).manifest.dims
    decoder = decoder_state(folder, dims.num_layers, dims.head_dim)
    return {f"decoder.{name}": tensor for name, tensor in decoder.items()} | phrase_state(folder)
