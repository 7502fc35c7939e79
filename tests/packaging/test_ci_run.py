"""`.ci/run` runs both parts whatever the first finds, fails if either does, and ends with pytest's count."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKE = """#!/bin/sh
echo "make $1 ran"
case "$1" in
    check) exit {check} ;;
    test) echo "{count}"; echo "make: *** [Makefile:1: test]" >&2; exit {tests} ;;
esac
"""
PASSED = "= 3 passed, 1 skipped in 0.10s ="


def run(root: Path, folder: Path, *, check: int, tests: int, count: str) -> subprocess.CompletedProcess[str]:
    (folder / ".ci").mkdir()
    shutil.copy(root / ".ci" / "run", folder / ".ci" / "run")
    make = folder / "bin" / "make"
    make.parent.mkdir()
    make.write_text(MAKE.format(check=check, tests=tests, count=count), encoding="utf-8")
    make.chmod(0o755)
    environment = os.environ | {"PATH": f"{make.parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", str(folder / ".ci" / "run")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("check", "tests", "count"),
    [
        (0, 0, PASSED),
        (2, 0, PASSED),
        (0, 2, "= 1 failed, 3 passed in 0.10s ="),
        (2, 2, "= 2 errors in 0.10s ="),
        (0, 2, "= no tests ran in 0.10s ="),
    ],
)
def test_both_parts_run_and_the_count_comes_last(
    root: Path, tmp_path: Path, check: int, tests: int, count: str
):
    done = run(root, tmp_path, check=check, tests=tests, count=count)
    assert "make check ran" in done.stdout
    assert "make test ran" in done.stdout
    assert done.stdout.splitlines()[-1] == count
    assert (done.returncode == 0) == (check == tests == 0)
    assert ("make check failed" in done.stdout) == (check != 0)
