"""The weights of a published model as safetensors."""

from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from tatumflow.training.export.checkpoint import load_checkpoint
from tatumflow.training.models.bundle_weights import bundle_state
from tatumflow.training.publish.errors import PublishError
from tatumflow.training.publish.publication import Publication
from tatumflow.training.separation.checkpoint import open_separator

WEIGHTS_FILE: Final = "model.safetensors"

_EXACT: Final = ("decoder.field_embeddings.1.weight", "decoder.style_embedding.weight")
"""Weights that the graphs hold in float32 as they were trained."""


def write_weights(model: Publication, file: Path, checkpoint: Path | None) -> str:
    """Write a model's weights by their names in the training code, and return where they come from.

    Without a checkpoint those of a model of notes come from its graphs, int8 ones dequantized; a separator's
    graph has other names than its model, so that nothing is written and the line is empty.

    Raises:
        PublishError: if the checkpoint is of another model.
        TatumFlowError: if the checkpoint cannot be read.
    """
    if model.bundle is None:
        if checkpoint is None:
            return ""
        state, source = open_separator(checkpoint).model.state_dict(), "the training checkpoint, in float32"
    elif checkpoint is None:
        state, source = bundle_state(model.path), "the ONNX graphs; int8 weights are dequantized to float32"
    else:
        state, source = _checkpoint_state(model, checkpoint), "the training checkpoint, in float32"
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
    save_file(tensors, file, metadata={"format": "pt", "model": model.name, "weights from": source})
    # safetensors writes files that their owner alone can read.
    file.chmod((model.path / model.manifest_file).stat().st_mode & 0o666 | 0o600)
    return source


def _checkpoint_state(model: Publication, checkpoint: Path) -> dict[str, Tensor]:
    """Return the weights of a checkpoint after a comparison with the bundle's."""
    state, exported = load_checkpoint(checkpoint).model.state_dict(), bundle_state(model.path)
    same = all(
        state[name].shape == exported[name].shape and torch.allclose(state[name], exported[name], atol=1e-6)
        for name in _EXACT
    )
    if not same:
        raise PublishError(f"{checkpoint}: is not the checkpoint that {model.name} was exported from")
    return state
