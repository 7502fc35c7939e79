"""The import contracts hold, and each of them fails when it is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """A copy of the code that a test may break."""
    shutil.copy(root / "pyproject.toml", tmp_path)
    for package in ("engine", "live", "training"):
        shutil.copytree(
            root / package, tmp_path / "tatumflow" / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def test_the_contracts_hold(tree: Path):
    result = _lint(tree)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("place", "line", "contract"),
    [
        ("engine", "import tatumflow.live", "live and training stand on the engine"),
        ("engine", "import tatumflow.training.data.packing", "live and training stand on the engine"),
        ("live", "import tatumflow.training.data.packing", "live and training stand on the engine"),
        ("training", "import tatumflow.live", "live and training stand on the engine"),
        ("engine", "import textual", "the engine is headless"),
        ("engine", "import torch", "the engine is headless"),
        ("engine", "import rtmidi", "the engine is headless"),
        ("engine", "import sounddevice", "the engine is headless"),
        ("live", "import torch", "a jam starts without torch"),
        ("training/separation/spleeter", "import torch", "Spleeter's weights are converted without torch"),
        ("engine/midi", "import tatumflow.engine.turns.planner", "the rooms of the engine"),
        ("engine", "", "the rooms of the engine"),
        ("live/settings", "import tatumflow.live.processes.host", "the rooms of live"),
        ("live/tui/labels", "import tatumflow.live.tui.app", "the rooms of the screen"),
        ("training/fit", "import tatumflow.training.export.commands", "the rooms of training"),
    ],
)
def test_a_contract_fails_when_broken(tree: Path, place: str, line: str, contract: str):
    path = tree / "tatumflow" / place
    # A new module of a package, or a line more in a module.
    module = path / "trespass.py" if path.is_dir() else path.with_suffix(".py")
    with module.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = _lint(tree)
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(row.startswith(contract) and row.endswith("BROKEN") for row in result.stdout.splitlines())
