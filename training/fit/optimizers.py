"""The optimizer: Muon for hidden matrices, AdamW for all other parameters, combined."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

import torch
from torch import nn

from tatumflow.training.fit.muon import Muon
from tatumflow.training.fit.settings import OptimizerSettings

_MUON_LAYERS: Final = frozenset({"attention", "mlp"})
_OUTPUT_LAYERS: Final = frozenset({"heads"})


class Together(torch.optim.Optimizer):
    """Several optimizers as one, with the parameter groups and the state of all."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.parts = optimizers
        super().__init__([group for part in optimizers for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """Give each part its groups of this optimizer, and the state of all."""
        groups = iter(self.param_groups)
        for part in self.parts:
            part.param_groups[:] = islice(groups, len(part.param_groups))
            part.state = self.state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Run the closure, then step each part."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned, or the parts' states under `parts` of an older checkpoint."""
        super().load_state_dict(joined_states(state_dict))
        self._share()


def joined_states(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return an optimizer's state with its parameters numbered through.

    That of an older checkpoint has the states of several optimizers, each numbered from 0, under `parts`.
    """
    if "parts" not in state_dict:
        return dict(state_dict)
    state: dict[int, Any] = {}
    groups: list[dict[str, Any]] = []
    for part in state_dict["parts"]:
        first = sum(len(group["params"]) for group in groups)
        state |= {first + number: values for number, values in part["state"].items()}
        groups += [
            {**group, "params": [first + number for number in group["params"]]}
            for group in part["param_groups"]
        ]
    return {"state": state, "param_groups": groups}


def build_optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Return the optimizer of a run.

    Muon (Jordan et al. 2024) orthogonalizes the momentum of matrices in attention and feed-forward layers,
    which models name `attention` and `mlp`; its step is scaled to the size of AdamW's (Liu et al. 2025,
    "Muon is Scalable for LLM Training", section 2.2), so that one rate serves both. All others are stepped by
    AdamW (Loshchilov and Hutter 2019), embedding tables and output layers, which models name `heads`, at
    learning rates of their own. Only matrices of linear layers decay. Frozen parameters are left out.
    """
    groups: dict[str, list[nn.Parameter]] = {
        kind: [] for kind in ("muon", "decayed", "rest", "tables", "outputs")
    }
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                groups[_kind(name, module, parameter, settings)].append(parameter)
    muon = groups.pop("muon")
    decays = {"decayed": settings.weight_decay, "outputs": settings.weight_decay}
    ratios = {"tables": settings.embedding_lr_ratio, "outputs": settings.output_lr_ratio}
    adamw = torch.optim.AdamW(
        [
            {
                "params": parameters,
                "weight_decay": decays.get(kind, 0.0),
                "lr": settings.lr * ratios.get(kind, 1.0),
            }
            for kind, parameters in groups.items()
            if parameters
        ],
        lr=settings.lr,
        betas=(settings.beta1, settings.beta2),
        fused=True,
    )
    if not muon:
        return adamw
    return Together(
        Muon(muon, lr=settings.lr, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"),
        adamw,
    )


def _kind(name: str, module: nn.Module, parameter: nn.Parameter, settings: OptimizerSettings) -> str:
    """Return the group of a parameter, given its module and the module's dotted name."""
    if isinstance(module, nn.Embedding):
        return "tables"
    if not isinstance(module, nn.Linear) or parameter is not module.weight:
        return "rest"
    parts = set(name.split("."))
    if settings.kind == "muon" and parts & _MUON_LAYERS:
        return "muon"
    return "outputs" if parts & _OUTPUT_LAYERS else "decayed"
