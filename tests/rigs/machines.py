"""Processes of this machine that train together as if each were a machine of its own."""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_SECONDS = 500

_PRELOADED = [
    *("tatumflow.training.config", "tatumflow.training.train", "tatumflow.training.fit.module"),
    *("torch._dynamo", "torch.distributed.tensor", "torch.utils.tensorboard"),
]


@dataclass(frozen=True)
class Outcome:
    """How one process ended: what its run logged last, or the type and text of its error."""

    metrics: Mapping[str, float]
    steps: int = 0
    error: str = ""


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_nodes(count: int) -> list[dict[str, str]]:
    """Return the environments of machines that are started by hand."""
    port = str(free_port())
    return [
        {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": str(rank)} for rank in range(count)
    ]


def as_torchrun(count: int) -> list[dict[str, str]]:
    """Return the environments that torchrun gives the processes of machines with one process each."""
    shared = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": "1", "TORCHELASTIC_RUN_ID": "test"}
    return [
        {**place, **shared, "RANK": str(rank), "GROUP_RANK": str(rank), "LOCAL_RANK": "0"}
        for rank, place in enumerate(as_nodes(count))
    ]


def as_slurm(count: int) -> list[dict[str, str]]:
    """Return the environments that srun gives the tasks of a job with one task a machine."""
    shared = {
        "SLURM_JOB_ID": "1234",
        "SLURM_JOB_NAME": "run",
        "SLURM_NTASKS": str(count),
        "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_NNODES": str(count),
        "SLURM_NODELIST": "127.0.0.1",
        "SLURM_LOCALID": "0",
        "MASTER_PORT": str(free_port()),
    }
    return [{**shared, "SLURM_PROCID": str(rank), "SLURM_NODEID": str(rank)} for rank in range(count)]


def train_together(
    config: Path, overrides: list[str], run_dir: Path, places: list[dict[str, str]], resume: bool = False
) -> list[Outcome]:
    """Train in one process for each environment, and return how each of them ended.

    Muon iterates in float32, unless an environment says that bfloat16 is faster. The variable LEAVE_AT in
    one ends that process without a word at a step.
    """
    # A server that has imported torch once forks the processes: each of them starts in milliseconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    ends, processes = [], []
    for place in places:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_train, args=(there, config, overrides, run_dir, place, resume))
        process.start()
        there.close()
        ends.append(here)
        processes.append(process)
    try:
        return [_outcome(end) for end in ends]
    finally:
        for process in processes:
            process.join(5)
            process.kill()


def _outcome(end: Connection) -> Outcome:
    assert end.poll(_SECONDS), "a process of the run has not ended in time"
    try:
        return end.recv()
    except EOFError:
        return Outcome({}, error="ended without a word")


def _train(
    end: Connection,
    config: Path,
    overrides: list[str],
    run_dir: Path,
    place: dict[str, str],
    resume: bool,
) -> None:
    for name in [name for name in os.environ if name.startswith(("SLURM_", "TORCHELASTIC_"))]:
        del os.environ[name]
    os.environ.update({"TATUMFLOW_BF16_SPEEDUP": "0", **place})
    import torch

    from tatumflow.training.config import load_config
    from tatumflow.training.fit.module import NoteTrainer
    from tatumflow.training.train import train

    torch.set_num_threads(1)
    step = NoteTrainer.training_step

    def leaving(self: NoteTrainer, *args: Any) -> torch.Tensor:
        if str(self.global_step) == os.environ.get("LEAVE_AT"):
            os._exit(1)
        return step(self, *args)

    NoteTrainer.training_step = leaving  # pyright: ignore[reportAttributeAccessIssue]
    try:
        result = train(load_config(config, overrides), run_dir, resume)
        end.send(Outcome(result.metrics, result.steps))
    except Exception as error:
        traceback.print_exc()
        end.send(Outcome({}, error=f"{type(error).__name__}: {error}"))
