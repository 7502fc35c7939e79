"""Muon (Jordan et al. 2024) in a precision that the device computes natively.

`torch.optim.Muon` orthogonalizes in bfloat16. A CPU without native bfloat16 emulates it, 15 to 30 times
slower than float32, and then nine tenths of a step are the optimizer's.
"""

import math
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, distributed

from tatumflow.training.fit.precision import has_native_bf16


class Muon(torch.optim.Muon):
    """`torch.optim.Muon` with the Newton-Schulz iteration in float32 on devices without native bfloat16.

    Arguments, parameter groups and state are those of `torch.optim.Muon`, so a run may be resumed on a
    machine of the other kind. Processes that train together all iterate in float32 if one of them must, since
    replicas of the weights would drift apart.

    A sharded matrix is orthogonalized as a whole: products of `DTensor`s exchange what they need of it. So
    the step is that of an unsharded run, and costs transfers, which AdamW's does not.
    """

    _native: bool | None = None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Run the closure, if any, then update every parameter with a gradient; return the closure's loss."""
        if self._native is None:
            devices = {p.device for group in self.param_groups for p in group["params"]}
            self._native = _agreed(all(map(has_native_bf16, devices)), devices)
        if self._native:
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient, memory_format=torch.preserve_format)
        momentum, average = group["momentum"], state["momentum_buffer"]
        average.lerp_(gradient, 1 - momentum)
        direction = gradient.lerp(average, momentum) if group["nesterov"] else average
        direction = zeroth_power(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rate = float(group["lr"])
        parameter.mul_(1 - rate * group["weight_decay"])
        parameter.add_(direction, alpha=-rate * _rate_share(group["adjust_lr_fn"], parameter))


def _agreed(native: bool, devices: Collection[torch.device]) -> bool:
    """Return whether something holds in every process of the run, each of which calls this once."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return native
    flag = torch.tensor(int(native), device=next(iter(devices)))
    distributed.all_reduce(flag, distributed.ReduceOp.MIN)
    return bool(flag)


def zeroth_power(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Return a matrix with the same singular vectors and singular values near 1, in float32.

    A quintic Newton-Schulz iteration (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural
    networks"), as in `torch.optim.Muon` but for the precision.

    Args:
        matrix: The matrix, (m, n).
        coefficients: Coefficients of degree 1, 3 and 5.
        steps: Iterations.
        eps: Least norm that the matrix is divided by.
    """
    linear, cubic, quintic = coefficients
    tall = matrix.size(0) > matrix.size(1)
    found = (matrix.T if tall else matrix).float()
    found = found / found.norm().clamp(min=eps)
    for _ in range(steps):
        gram = found @ found.T
        update = torch.addmm(gram, gram, gram, beta=cubic, alpha=quintic)
        found = torch.addmm(found, update, found, beta=linear)
    return found.T if tall else found


def _rate_share(rule: str | None, parameter: Tensor) -> float:
    """Return the factor of a matrix's learning rate under a rule of `torch.optim.Muon`."""
    rows, columns = parameter.shape
    if rule == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1.0, rows / columns))
