"""The engine's log: everything on standard error, and never much more than its limit."""

import subprocess
import sys
from pathlib import Path

WRITE = """
import os, sys
from pathlib import Path
from tatumflow.live.processes.engine_log import EngineLog
log = EngineLog(Path(sys.argv[1]), most_bytes=10_000)
for line in range(3000):
    os.write(2, f"line {line} of what a library prints\\n".encode())
    if line % 10 == 0:
        log.limit()
"""


def test_a_log_that_grows_is_begun_again_and_the_one_before_kept(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "engine.log"
    subprocess.run([sys.executable, "-c", WRITE, str(path)], check=True, timeout=60)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["engine.log", "engine.log.1"]
    assert all(0 < file.stat().st_size < 12_000 for file in files)
    lines = [line for file in reversed(files) for line in file.read_text().splitlines()]
    assert lines[-1] == "line 2999 of what a library prints"
    numbers = [int(line.split()[1]) for line in lines]
    assert numbers == list(range(numbers[0], 3000))


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path / "logs" / "engine.log")], check=True, timeout=60
    )
