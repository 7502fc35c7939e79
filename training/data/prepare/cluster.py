"""Chunks worked off on a Ray cluster, by Ray Data.

Ray Data streams the chunks to the cluster's processes, holds back as many as memory asks for, and runs a
chunk again whose process or machine died. What a chunk was read as goes to its part on the disk that all
machines share. Only counts come back: neither the object store nor this process grows with the corpus.
"""

import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tatumflow.engine.errors import CorpusError, TatumFlowError
from tatumflow.training.data.prepare.parts import Chunk, is_whole, write_part

LOCAL: Final = "local"
"""Address of a cluster that is started on this machine for the job."""

_START_SECONDS: Final = "120"
"""Time in which Ray's own start must answer."""

_STARTS: Final = 3
"""Attempts to start it: Ray allows 30 seconds, and a busy machine may need more."""

_STORE_BYTES: Final = 256 << 20
"""Object store of such a cluster; Ray's own choice is a third of the memory."""


def write_parts_on_cluster(chunks: Sequence[Chunk], address: str, jobs: int | None = None) -> Iterator[int]:
    """Write the parts of chunks on a cluster; yield the number of files of each that is done.

    Args:
        chunks: The chunks; their files and parts lie where every machine of the cluster sees them.
        address: Address of the cluster as `ray.init` takes it, "auto" for the one that this machine is in, or
            "local" for one of this machine alone.
        jobs: Chunks read at once; by default as many as the cluster has cores.

    Raises:
        CorpusError: if the cluster cannot be reached, a part cannot be written, or one is not seen here.
    """
    if not chunks:
        return
    ray = _ray()
    _connect(address, jobs)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        rows = [{"number": i, "chunk": pickle.dumps(chunk)} for i, chunk in enumerate(chunks)]
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            _write_row, compute=ray.data.TaskPoolStrategy(jobs)
        )
        for row in done.iter_rows():
            if row["error"]:
                raise CorpusError(row["error"])
            part = chunks[row["number"]].part
            if not is_whole(part):
                raise CorpusError(
                    f"{part}: was written by a machine of the cluster, but is not seen here; give --out on a "
                    "disk that all machines share"
                )
            yield row["files"]
    except ray.exceptions.RayError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise CorpusError(
            f"{address}: the cluster failed ({reason}); run the same command again: it goes on where this "
            "one stopped"
        ) from error
    finally:
        ray.shutdown()


def _ray() -> Any:  # noqa: ANN401
    """Import Ray, which only a job on a cluster needs."""
    import ray  # pyright: ignore[reportMissingImports]
    import ray.data  # pyright: ignore[reportMissingImports]

    return ray


def _write_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write the part of a row's chunk, unless an attempt before has."""
    chunk: Chunk = pickle.loads(row["chunk"])
    try:
        files = len(chunk.items) if is_whole(chunk.part) else write_part(chunk)
    except TatumFlowError as error:
        return {"number": row["number"], "files": 0, "error": str(error)}
    return {"number": row["number"], "files": files, "error": ""}


def _connect(address: str, jobs: int | None) -> None:
    ray = _ray()
    # By default Ray sends statistics of its use to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_raylet_start_wait_time_s", _START_SECONDS)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        own = {"num_cpus": jobs, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
        options |= own
    for left in range(_STARTS if address == LOCAL else 1, 0, -1):
        try:
            ray.init(address, **options)
            return
        except Exception as error:  # A bare Exception is what Ray raises where its start takes too long.
            ray.shutdown()
            if left == 1:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise CorpusError(
                    f"{address}: no Ray cluster can be reached ({reason}); start one with `ray start --head` "
                    f"or give --cluster {LOCAL}"
                ) from error


def check_shared(sources: Sequence[Path], address: str) -> None:
    """Refuse archives for a cluster: they are extracted on this machine alone.

    Raises:
        CorpusError: if a source is none of the folders that all machines may see.
    """
    for source in sources:
        if address != LOCAL and not Path(source).is_dir():
            raise CorpusError(
                f"{source}: is extracted on this machine alone; extract it on a disk that all machines of "
                "the cluster share, and give that folder"
            )
