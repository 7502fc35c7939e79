"""`data prepare` on a Ray cluster of this machine, killed and resumed: nothing is lost, nothing comes twice.

`TATUMFLOW_MANY_FILES=20000 pytest -s -m slow tests/training/data/test_cluster.py` does it at full size, and
prints the memory.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from many_files import BROKEN_EVERY, write_many

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.prepare.parts import CHUNK_FILES

pytest.importorskip("ray", reason="needs the extra [cluster]")

FILES = int(os.environ.get("TATUMFLOW_MANY_FILES", "320"))
MEGABYTE = 1 << 20
FLAT = 1.25
"""Greatest ratio of the memory of the last third of the work to that of the second."""


class Preparation:
    """`data prepare` in a process of its own, watched."""

    def __init__(self, source: Path, out: Path, *options: str) -> None:
        command = [sys.executable, "-m", "tatumflow.live.cli", "data", "prepare", str(source), "-o", str(out)]
        self.parts = out.with_name(f".{out.name}.prepare")
        self.memory: list[tuple[int, int]] = []
        self.process = subprocess.Popen([*command, *options], start_new_session=True)

    def done(self) -> set[Path]:
        return set(self.parts.glob("part-*.npz"))

    def watch(self, until: int, kill_worker_at: int | None = None) -> None:
        """Wait until so many parts are there, or the process ends; measure memory on the way."""
        while self.process.poll() is None and (count := len(self.done())) < until:
            workers = self.family()
            self.memory.append((count, sum(_unique_bytes(one) for one in workers)))
            if kill_worker_at is not None and count >= kill_worker_at and len(workers) > 1:
                workers[-1].kill()
                kill_worker_at = None
            time.sleep(1 if FILES > 1000 else 0.1)

    def family(self) -> list[psutil.Process]:
        """Return this process and those of its cluster that read files."""
        try:
            driver = psutil.Process(self.process.pid)
            return [driver, *filter(_reads_files, driver.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []


def _reads_files(process: psutil.Process) -> bool:
    """Return whether a process of the cluster reads files, or waits for some."""
    try:
        return "".join(process.cmdline()).startswith(("ray::Map", "ray::IDLE"))
    except psutil.Error:
        return False


def _unique_bytes(process: psutil.Process) -> int:
    """Return the memory of this process alone: the object store is shared, and of fixed size."""
    try:
        return process.memory_full_info().uss
    except psutil.Error:
        return 0


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_killed_run_on_a_cluster_is_resumed_without_loss_or_duplicates(tmp_path: Path) -> None:
    source = write_many(tmp_path / "many", FILES)
    chunks = -(-FILES // CHUNK_FILES)
    out = tmp_path / "packed"
    options = ("--cluster", "local", "--jobs", "2")

    first = Preparation(source, out, *options)
    first.watch(until=chunks // 2)
    assert first.process.poll() is None, "it ended before it could be killed"
    workers = first.family()[1:]
    assert workers
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert not left, "workers of the cluster outlive a killed command"
    before = {path: path.stat().st_mtime_ns for path in first.done()}
    assert len(before) >= chunks // 2
    assert not out.exists()

    second = Preparation(source, out, *options)
    second.watch(until=chunks + 1, kill_worker_at=chunks * 3 // 4)
    assert second.process.wait() == 0
    assert not second.parts.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    alone = tmp_path / "alone"
    assert Preparation(source, alone).process.wait() == 0
    for name in ("index.json", "notes-00000.npy"):
        assert (out / name).read_bytes() == (alone / name).read_bytes()
    index = PackedCorpus.open(out).index
    names = [piece.name for piece in index.pieces] + [file.path for file in index.broken]
    assert sorted(names) == sorted(path.relative_to(source).as_posix() for path in source.rglob("*.mid"))
    assert len(index.broken) == -(-FILES // BROKEN_EVERY)

    samples = first.memory + second.memory
    for share in range(10):
        of = [size for count, size in samples if share * chunks <= 10 * count < (share + 1) * chunks]
        if of:
            mean, most = np.mean(of) / MEGABYTE, max(of) / MEGABYTE
            print(f"{share * 10:3} % of the chunks: {mean:6.0f} MB, at most {most:.0f} MB, {len(of)} samples")
    if FILES >= 5000:
        early = [size for count, size in samples if 0.1 < count / chunks < 0.4]
        late = [size for count, size in samples if count / chunks > 0.9]
        assert np.mean(late) < FLAT * np.mean(early)


def test_an_unreachable_cluster_is_one_line() -> None:
    from tatumflow.training.data.prepare.cluster import check_shared

    with pytest.raises(CorpusError, match="is extracted on this machine alone"):
        check_shared([Path("corpus.tar.xz")], "auto")
    check_shared([Path("corpus.tar.xz")], "local")
