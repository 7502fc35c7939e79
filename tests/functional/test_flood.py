"""Floods of control values on real ports: the notes go on, panic is answered, the session ends in order."""

import json
import shutil
import subprocess
import sys

import pytest
from duo import PATIENCE

pytestmark = [
    pytest.mark.ports,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed"),
]


def test_a_companion_in_a_flood_plays_on_hears_panic_and_ends(tiny_bundle, tmp_path):
    file = tmp_path / "flood.json"
    command = [sys.executable, "-m", "tatumflow.live.cli", "soak", "flood", "--seconds", "2"]
    command += ["--model", str(tiny_bundle), "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=16 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert figures["command"] == "tatumflow soak flood --model tiny --seconds 2"
    for flood in ("controllers", "osc"):
        # Bounds that hold on a busy machine. Where every value is obeyed, hardly a note is left.
        assert figures[f"{flood}_rate_ratio"]["max"] > 0.3
        assert figures[f"{flood}_panic_ms"]["max"] < 500
        assert figures[f"{flood}_shutdown_s"]["max"] < 15
        assert figures[f"{flood}_hung_notes"]["max"] == 0
        assert figures[f"{flood}_recorded_ratio"]["mean"] == 1
