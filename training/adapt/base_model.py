"""The model that an adapter is trained on: a bundle's weights in torch, with room for one more style."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.tokens import FIELDS, INPUT_SIZES
from tatumflow.training.models.bundle_weights import bundle_state
from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.model import TatumFlow
from tatumflow.training.models.tatumflow.phrase_encoder import PhraseEncoder

STYLE_TABLES: Final = ("decoder.style_embedding.weight", "flow.style.weight")
"""The weights of a `TatumFlow` that have a row for each style."""

_ENCODER: Final = "encoder."


@dataclass(frozen=True)
class BaseModel:
    """A bundle's model with room for one more style.

    Attributes:
        model: The model on the CPU in evaluation mode. The new, last row of each style table is a copy of the
            unconditional one: before training, the new style plays as no style does. The mean of the rows
            would be a style that no player has.
        styles: Slug of each row, the new one last; row 0 is the empty string.
    """

    model: TatumFlow
    styles: tuple[str, ...]


def open_base(bundle: Bundle, name: str) -> BaseModel:
    """Read the weights of a bundle's graphs into a torch model and add a style.

    Weights that only training needs, which the graphs do not hold, keep their random initial values.

    Args:
        bundle: The bundle; its int8 weights are scaled back.
        name: Slug of the new style.

    Raises:
        BundleError: if the graphs cannot be read.
    """
    state = bundle_state(bundle.path)
    config = _config(bundle, state)
    for table in STYLE_TABLES:
        state[table] = torch.cat([state[table], state[table][:1]])
    model = TatumFlow(config.model_copy(update={"num_styles": config.num_styles + 1})).eval()
    model.load_state_dict(state, strict=False)
    return BaseModel(model, (*bundle.styles, name))


def _config(bundle: Bundle, state: Mapping[str, Tensor]) -> TatumFlowConfig:
    """Return the sizes of a bundle's model, from its manifest and the shapes of its weights.

    The losses of parts that a bundle does not hold are switched off. Half of the windows are not conditioned
    on phrases, so that the style is learnt with them and without; the base can read latents already.
    """
    dims = bundle.manifest.dims
    config = TatumFlowConfig(
        hidden_dim=dims.hidden_dim,
        condition_dim=state["decoder.style_embedding.weight"].shape[1],
        latent_dim=dims.latent_dim,
        theory_dim=dims.theory_dim,
        num_layers=dims.num_layers,
        num_heads=dims.hidden_dim // dims.head_dim,
        num_kv_heads=dims.num_kv_heads,
        mlp_dim=state["decoder.blocks.0.mlp.down.weight"].shape[1],
        head_dim_inner=state["decoder.heads.0.mlp.down.weight"].shape[1],
        max_seq_len=dims.cache_rows,
        num_styles=dims.num_styles,
        metre_and_key=bundle.shape.metre,
        encoder_dim=state["encoder.position.weight"].shape[1],
        encoder_layers=_blocks(state, "encoder.blocks."),
        encoder_heads=1,
        flow_dim=state["flow.style.weight"].shape[1],
        flow_layers=_blocks(state, "flow.blocks."),
        phrase_len=dims.phrase_len,
        rope_base=dims.rope_base,
        kl_weight=0.0,
        theory_weight=0.0,
        phrase_share=0.5,
        context_dropout=0.0,
    )
    return config.model_copy(update={"encoder_heads": _encoder_heads(bundle, config, state)})


def _blocks(state: Mapping[str, Tensor], prefix: str) -> int:
    return 1 + max(
        int(name.removeprefix(prefix).partition(".")[0]) for name in state if name.startswith(prefix)
    )


def _encoder_heads(bundle: Bundle, config: TatumFlowConfig, state: Mapping[str, Tensor]) -> int:
    """Return the number of heads with which the phrase encoder matches its graph; no shape gives it."""
    fields = np.random.default_rng(0).integers(0, INPUT_SIZES, (config.phrase_len, len(FIELDS)))
    expected = torch.from_numpy(OnnxPhraseModel(bundle).encode(fields))
    weights = {
        name.removeprefix(_ENCODER): tensor for name, tensor in state.items() if name.startswith(_ENCODER)
    }
    notes = torch.from_numpy(fields)[None]
    present = torch.ones(1, len(fields), dtype=torch.bool)
    errors: dict[int, float] = {}
    for heads in range(1, config.encoder_dim + 1):
        if config.encoder_dim % heads:
            continue
        encoder = PhraseEncoder(config.model_copy(update={"encoder_heads": heads})).eval()
        # Of weights that are all the same, such as gains of 1 in a model without training, a graph keeps one.
        encoder.load_state_dict(weights, strict=False)
        with torch.inference_mode():
            errors[heads] = float((encoder(notes, present)[0][0] - expected).abs().mean())
    return min(errors, key=lambda heads: errors[heads])
