"""The processes of a run on one or several machines: how many, who starts them, how they train together.

Lightning joins them: it starts those of one machine itself, or takes the places that torchrun or SLURM give.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import Strategy
from torch import distributed

from tatumflow.engine.errors import SettingError, TatumFlowError
from tatumflow.training.fit.settings import RunSettings
from tatumflow.training.fit.sharding import ShardedStrategy


class PeerError(TatumFlowError):
    """Another process of the run cannot be reached or has ended."""


_LAUNCHERS: Final[tuple[type[ClusterEnvironment], ...]] = (TorchElasticEnvironment, SLURMEnvironment)
"""In the order in which Lightning looks for them."""

_PLACE: Final = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")
_LOST: Final = ("gloo", "nccl", "connection", "socket", "tcpstore", "timed out")
"""Words in errors of PyTorch's transports, which have no type of their own."""


def strategy_of(run: RunSettings) -> str | Strategy:
    """Return Lightning's strategy for a run: its name, or the strategy itself.

    Raises:
        SettingError: if the settings and the processes that were started do not fit each other.
    """
    _check_launch(run)
    if run.strategy == "fsdp":
        if run.processes == 1:
            raise SettingError(
                "run.strategy: fsdp shares a model among processes; set run.devices or run.nodes above 1"
            )
        if run.compile:
            raise SettingError("run.compile: does not go with run.strategy=fsdp; leave one of them out")
        return ShardedStrategy(run.processes)
    return "ddp" if run.processes > 1 else "auto"


def _check_launch(run: RunSettings) -> None:
    launcher = next((kind() for kind in _LAUNCHERS if kind.detect()), None)
    if launcher is not None:
        try:
            launcher.validate_settings(run.devices, run.nodes)
        except ValueError as error:
            raise SettingError(
                f"run.nodes={run.nodes}, run.devices={run.devices}: differ from the processes that were "
                "started; set run.nodes to the machines and run.devices to the processes of each, as in "
                "torchrun's --nnodes and --nproc-per-node or in SLURM's --nodes and --ntasks-per-node "
                f"({error})"
            ) from None
    elif run.nodes > 1:
        _check_place(run.nodes)
    measured = run.precision == "auto" and not torch.cuda.is_available()
    if measured and run.processes > 1 and (run.nodes > 1 or launcher is not None):
        raise SettingError(
            "run.precision: auto is measured by each machine, and they may differ; "
            "set 32-true or bf16-mixed on all of them"
        )


def _check_place(nodes: int) -> None:
    """Check that the environment says where the first machine is and which of them this is."""
    missing = [name for name in _PLACE if name not in os.environ]
    if missing:
        raise SettingError(
            f"run.nodes={nodes}: {', '.join(missing)} not in the environment; start the run with torchrun "
            "or srun, or set MASTER_ADDR and MASTER_PORT to an address and a free port of the first machine, "
            "and NODE_RANK to 0 there, 1 on the second"
        )
    rank = os.environ["NODE_RANK"]
    if not rank.isdecimal() or int(rank) >= nodes:
        raise SettingError(f"NODE_RANK: {rank!r} is none of {nodes} machines; allowed: 0 to {nodes - 1}")


@contextmanager
def named_peers(run: RunSettings) -> Iterator[None]:
    """Turn errors of the connection to the other processes into one that says what to do.

    Raises:
        PeerError: if the connection fails or is closed.
    """
    try:
        yield
    except RuntimeError as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        known = isinstance(error, distributed.DistError) or any(word in reason.lower() for word in _LOST)
        if run.processes == 1 or not known:
            raise
        raise PeerError(
            f"the other processes of the run cannot be reached ({reason[:160]}); read the output of each of "
            "them for the first error, then start all of them again, with --resume once there is a last.ckpt"
        ) from error
