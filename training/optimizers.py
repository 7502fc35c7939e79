"""The optimizer: Muon for the matrices inside the network, AdamW for everything else, as one."""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import nn

from tatumflow.training.settings import OptimizerSettings

_MUON_LAYERS: Final = frozenset({"attention", "mlp"})


class Together(torch.optim.Optimizer):
    """Several optimizers that step as one and share their parameter groups with it."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self._parts = optimizers
        super().__init__(self._groups(), {})

    def _groups(self) -> list[dict[str, Any]]:
        return [group for part in self._parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Run the closure, then step each part."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the parts' states in their order."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups[:] = self._groups()


def build_optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Return the optimizer of a run.

    Muon (Jordan et al. 2024) orthogonalizes the momentum of matrices in attention and feed-forward layers,
    which families name `attention` and `mlp`; its step is scaled to the size of AdamW's (Liu et al. 2025,
    "Muon is Scalable for LLM Training", section 2.2), so that one rate serves both. Everything else is
    stepped by AdamW (Loshchilov and Hutter 2019). Only matrices of linear layers decay. What needs no
    gradient is left as it is.
    """
    linear = {
        f"{name}.weight": m.weight
        for name, m in model.named_modules()
        if isinstance(m, nn.Linear) and m.weight.requires_grad
    }
    hidden = {
        name: weight
        for name, weight in linear.items()
        if settings.kind == "muon" and _MUON_LAYERS.intersection(name.split("."))
    }
    decayed = [weight for name, weight in linear.items() if name not in hidden]
    rest = [
        parameter
        for name, parameter in model.named_parameters()
        if name not in linear and parameter.requires_grad
    ]
    adamw = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ],
        lr=settings.lr,
        betas=(settings.beta1, settings.beta2),
        fused=True,
    )
    if not hidden:
        return adamw
    muon = torch.optim.Muon(
        hidden.values(), lr=settings.lr, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"
    )
    return Together(muon, adamw)
