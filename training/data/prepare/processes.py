"""Chunks worked off in this process, or in several on this machine."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.prepare.parts import Chunk, write_part

_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def write_parts(chunks: Sequence[Chunk], jobs: int = 1) -> Iterator[int]:
    """Write the parts of chunks; yield the number of files of each that is done.

    Args:
        chunks: The chunks.
        jobs: Processes to use; with one, it is this one.

    Raises:
        CorpusError: if a part cannot be written, or a process dies.
    """
    if jobs == 1 or len(chunks) < 2:
        yield from map(write_part, chunks)
        return
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    pool = ProcessPoolExecutor(
        min(jobs, len(chunks)),
        # Threads of this process (the progress display, a BLAS) make a fork unsafe.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with_parent,
    )
    try:
        yield from pool.map(write_part, chunks)
    except BrokenProcessPool as error:
        raise CorpusError(
            "a process that read files died, perhaps for want of memory; run the same command again with "
            "fewer --jobs: it goes on where this one stopped"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one that started it does, even by a signal that cannot be caught.

    Its queue would otherwise keep it waiting for ever. An interrupt is left to the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
