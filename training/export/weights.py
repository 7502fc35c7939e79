"""Weights out of a bundle's graphs: the way back from ONNX to a model that can be trained."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from tatumflow.engine.bundle import (
    DECODER_GRAPH,
    ENCODER_GRAPH,
    FLOW_GRAPH,
    HEAD_GRAPHS,
    THEORY_GRAPH,
    load_bundle,
)
from tatumflow.engine.errors import SettingError
from tatumflow.training.families.tatumflow.model import TatumFlow

_MODULATIONS = 4
_MATRIX = ".matrix"


def graph_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return a graph's floating-point weights by name; int8 ones are scaled back."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}
    weights = {name: array for name, array in found.items() if array.dtype == np.float32}
    for name in [name for name in found if name.endswith(".int8")]:
        levels, scale = found[name], found[name.removesuffix(".int8") + ".scale"]
        rows = np.repeat(scale, len(levels) // len(scale), axis=0)
        weights[name.removesuffix(".int8")] = levels.astype(np.float32) * rows
    return weights


def decoder_state(folder: Path, layers: int, head_dim: int) -> dict[str, Tensor]:
    """Return the decoder's weights from a bundle's graphs, named as `TatumFlowDecoder` names them.

    The graphs hold the normalizations' gains inside the modulations and the queries' scale inside their
    projection (see `graphs`); what comes back computes the same with gains of 1.

    Args:
        folder: The bundle's.
        layers: Blocks of the decoder.
        head_dim: Width of an attention head.
    """
    trunk = graph_weights(folder / f"{DECODER_GRAPH}.onnx")
    hidden = len(trunk["gain"])
    state = {name: value for name, value in trunk.items() if "embedding" in name}
    state |= {f"{name}.weight": trunk[name].T for name in ("phrase_condition", "phrase_input")}
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
            if "." in key and not key.endswith(".scale")
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

    What predicts the theory back is only needed in training and not in the bundle.
    """
    state = {}
    for graph, prefix in ((ENCODER_GRAPH, ""), (THEORY_GRAPH, "theory."), (FLOW_GRAPH, "")):
        for name, value in graph_weights(folder / f"{graph}.onnx").items():
            if name.endswith(_MATRIX):
                state[f"{prefix}{name.removesuffix(_MATRIX)}.weight"] = value.T
            elif name.endswith((".weight", ".bias")):
                state[prefix + name] = value
    return {name: torch.tensor(np.ascontiguousarray(value)) for name, value in state.items()}


def start_from_bundle(model: nn.Module, folder: Path) -> None:
    """Load a bundle's weights into a TatumFlow model of the same sizes; parts it lacks stay as they are.

    Raises:
        BundleError: if the folder is not a whole bundle.
        SettingError: if the sizes differ, or the model is of another family.
    """
    dims = load_bundle(folder).manifest.dims
    if not isinstance(model, TatumFlow):
        raise SettingError(f"run.start_from: {folder} is of the tatumflow family, the run is not")
    decoder = decoder_state(folder, dims.num_layers, dims.head_dim)
    state = {f"decoder.{name}": tensor for name, tensor in decoder.items()} | phrase_state(folder)
    try:
        model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise SettingError(f"run.start_from: {folder} has other sizes than the run ({reason})") from None
