"""Low-rank adapters (Hu et al. 2022, "LoRA", section 4.1) of a frozen decoder, and one more style.

Each weight of attention and feed-forward layers gets a product of two thin matrices beside it, and the style
tables get one row; nothing else is trained. The field heads stay frozen, since a value of a field means the
same for every player.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor

from tatumflow.training.adapt.base_model import STYLE_TABLES
from tatumflow.training.models.tatumflow.model import TatumFlow

_LAYERS: Final = r"\d+\.(attention\.(qkv|out)|mlp\.(gate_up|down))"
_NAME: Final = "default"


@dataclass(frozen=True)
class Adapter:
    """The differences that an adapter adds to the weights of its base.

    Attributes:
        deltas: Differences by the weights' names in the base, each of the weight's shape; weights without
            one are unchanged.
    """

    deltas: Mapping[str, Tensor]


def attach_adapter(model: TatumFlow, rank: int, alpha: int) -> None:
    """Freeze a model and insert an adapter, which changes no output before it is trained.

    Args:
        model: The model; the last rows of its style tables are trained too.
        rank: Inner width of the products.
        alpha: Their weight is `alpha` / `rank`.
    """
    model.requires_grad_(False)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=_LAYERS, bias="none")
    # The blocks alone: peft reads a module's `config` as that of a language model.
    inject_adapter_in_model(config, model.decoder.blocks, adapter_name=_NAME)
    for name in STYLE_TABLES:
        table = model.get_parameter(name)
        table.requires_grad_(True)
        table.register_hook(_last_row)


def adapter_of(model: TatumFlow, base: TatumFlow) -> Adapter:
    """Return the adapter that `attach_adapter` inserted into a model, as differences from its base."""
    deltas: dict[str, Tensor] = {}
    with torch.no_grad():
        for name, layer in model.named_modules():
            if isinstance(layer, LoraLinear):
                deltas[f"{name}.weight"] = layer.get_delta_weight(_NAME).cpu().clone()
        for name in STYLE_TABLES:
            deltas[name] = model.get_parameter(name).cpu() - base.get_parameter(name)
    return Adapter(deltas)


def merged(base: TatumFlow, adapter: Adapter, scale: float = 1.0) -> TatumFlow:
    """Return a copy of a base with an adapter merged into its weights.

    `scale` is the share of the adapter, its style row included: at 0 the copy is the base, bit for bit.
    """
    model = deepcopy(base)
    with torch.no_grad():
        for name, delta in adapter.deltas.items():
            model.get_parameter(name).add_(delta, alpha=scale)
    return model.eval()


def _last_row(gradient: Tensor) -> Tensor:
    kept = torch.zeros_like(gradient)
    kept[-1] = gradient[-1]
    return kept
