"""Fully sharded training: every process holds a share of each weight, gradient and optimizer state.

Lightning's strategy on PyTorch's `fully_shard` ("FSDP2", Zhao et al. 2023, "PyTorch FSDP"). A sharded weight
is a `DTensor` that keeps its shape, so that Muon sees whole matrices.
"""

from collections.abc import Mapping
from typing import Any, Final

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import ModelParallelStrategy, Strategy
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from tatumflow.training.fit.optimizers import joined_states

_WHOLE: Final = StateDictOptions(full_state_dict=True, cpu_offload=True)
_GIVEN: Final = StateDictOptions(full_state_dict=True)
_STEPS: Final = ("training_step", "validation_step")
_BLOCKS: Final = "blocks"


def shard(module: nn.Module, mesh: DeviceMesh) -> None:
    """Shard a Lightning module over a mesh of one dimension, in place.

    Each module of a list named `blocks` is gathered only while it computes; all other weights together for a
    step, since a step calls more of a model than its `forward`.
    """
    for name, child in module.named_modules():
        if name.rpartition(".")[0].endswith(_BLOCKS) and any(True for _ in child.parameters()):
            fully_shard(child, mesh=mesh)
    # Gathered weights left behind by a validation would be averaged and saved in the place of the shares.
    fully_shard(module, mesh=mesh, reshard_after_forward=True)
    for step in _STEPS:
        register_fsdp_forward_method(module, step)


def is_sharded(module: nn.Module) -> bool:
    """Return whether `shard` has been called on a module."""
    return isinstance(module, FSDPModule)


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor with the shares of all processes; one that is not sharded, as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def whole_state(module: nn.Module) -> dict[str, Any]:
    """Return a sharded module's state with whole tensors in the first process, and nothing in the others."""
    return get_model_state_dict(module, options=_WHOLE)


def load_whole_state(module: nn.Module, state: Mapping[str, Any]) -> None:
    """Load whole tensors, given in every process, into a sharded module."""
    set_model_state_dict(module, dict(state), options=_GIVEN)


class ShardedStrategy(ModelParallelStrategy):
    """Lightning's strategy for `shard`, with the checkpoints of every other strategy.

    A checkpoint is one file of whole tensors, its optimizer state numbered as the optimizer numbers its
    parameters. So a run may be resumed by one process, by DDP, or by another number of processes, and
    exported.
    """

    def __init__(self, processes: int) -> None:
        """Shard over `processes` processes."""
        super().__init__(
            data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False
        )

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:  # noqa: ANN401 (Lightning's path)
        """Read a checkpoint in every process."""
        return Strategy.load_checkpoint(self, checkpoint_path, weights_only)

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Whether Lightning hands the state of the optimizer to `load_optimizer_state_dict`."""
        return True

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Load the weights of a checkpoint."""
        assert self.model is not None
        load_whole_state(self.model, checkpoint["state_dict"])

    def optimizer_state(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return the state of an optimizer in the first process, and nothing in the others."""
        if isinstance(optimizer, LightningOptimizer):
            optimizer = optimizer.optimizer
        assert self.model is not None
        state = get_optimizer_state_dict(self.model, optimizer, options=_WHOLE)
        numbers = {name: number for number, name in enumerate(self._names(optimizer))}
        return _renamed(state, numbers) if state else {}

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Load the states of the optimizers of a checkpoint."""
        assert self.model is not None
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            named = _renamed(joined_states(state), dict(enumerate(self._names(optimizer))))
            set_optimizer_state_dict(self.model, optimizer, named, options=_GIVEN)

    def _names(self, optimizer: torch.optim.Optimizer) -> list[str]:
        """Return the names of an optimizer's parameters in its order."""
        assert self.model is not None
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        return [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]


def _renamed(state: Mapping[str, Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    """Return an optimizer's state with other names, or numbers, for its parameters."""
    groups = [
        {**group, "params": [names[parameter] for parameter in group["params"]]}
        for group in state["param_groups"]
    ]
    return {
        "state": {names[parameter]: values for parameter, values in state["state"].items()},
        "param_groups": groups,
    }
