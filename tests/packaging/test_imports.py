"""The import borders at run time, through whatever third-party code: what the contracts cannot see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HEAVY = ("torch", "lightning", "lightning_fabric", "pytorch_lightning")
SCREEN_AND_PORTS = ("textual", "rtmidi", "sounddevice")


def _python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("tatumflow.live.cli", HEAVY),
        ("tatumflow.live.processes.engine_process", (*HEAVY, "textual")),
        (
            "tatumflow.live.processes.ears_link",
            (*HEAVY, "textual", "onnxruntime", "sounddevice", "soundfile", "soxr"),
        ),
        ("tatumflow.engine.turns.companion", (*HEAVY, *SCREEN_AND_PORTS)),
    ],
)
def test_module_loads_nothing_it_must_not(module: str, forbidden: tuple[str, ...]):
    loaded = _python(f"import sys, {module}; print([m for m in {forbidden!r} if m in sys.modules])")
    assert loaded == "[]"


@pytest.mark.parametrize(("package", "absent"), [("live", HEAVY), ("engine", (*HEAVY, *SCREEN_AND_PORTS))])
def test_every_module_imports_where_these_are_not_installed(package: str, absent: tuple[str, ...]):
    root = Path(__file__).resolve().parents[2]
    modules = [
        "tatumflow." + ".".join(path.relative_to(root).with_suffix("").parts)
        for path in sorted((root / package).rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"}
    ]
    assert modules
    blocked = f"import sys, importlib; sys.modules.update(dict.fromkeys({absent!r}))"
    _python(f"{blocked}; [importlib.import_module(name) for name in {modules!r}]")


def test_command_line_helps_without_the_training_libraries():
    blocked = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))"
    code = f"{blocked}; sys.argv = ['tatumflow', '--help']; from tatumflow.live.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"COLUMNS": "100"}
    )
    assert result.returncode == 0, result.stderr
    assert "jam" in result.stdout
    assert "play" in result.stdout
