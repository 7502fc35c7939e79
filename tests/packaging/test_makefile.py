"""The Makefile's targets: all of them explain themselves, and quick and slow tests are kept apart."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(root: Path, *arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_lists_every_target(root: Path):
    text = (root / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"(?m)^\.PHONY: (.*)$", text)
    listed = [line.split()[0] for line in make(root, "help").splitlines()[1:]]
    assert sorted(listed) == sorted(phony.split())


def test_quick_leaves_out_what_is_slow_and_test_what_takes_minutes(root: Path, project: dict[str, Any]):
    markers = {line.partition(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}
    assert {"slow", "long"} <= markers
    assert '-m "not slow and not long"' in make(root, "--dry-run", "quick")
    assert '-m "not long"' in make(root, "--dry-run", "test")
    assert "-m long" in make(root, "--dry-run", "long")


def test_minimum_takes_another_torch_on_demand(root: Path):
    commands = make(root, "--dry-run", "--always-make", "minimum", "TORCH=2.13.0")
    assert "s/^torch==.*/torch==2.13.0/" in commands
    assert "s/^torch" not in make(root, "--dry-run", "--always-make", "minimum")
