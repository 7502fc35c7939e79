"""How long `tatumflow jam` takes to be playable."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.live.bench.report import Figure, Target

STARTUP_TARGET: Final = Target(max=3.0)
"""Seconds from the command to a companion that listens."""

_STARTS: Final = 3
_PATIENCE: Final = 60.0


def startup(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure whole processes: from starting `jam --headless` to the line that states that it listens.

    No MIDI system needs to be there. The first start, which fills the file cache, is not counted.

    Raises:
        DeviceError: if the companion does not start.
    """
    with TemporaryDirectory() as folder:
        seconds = [_start(bundle.path, Path(folder)) for _ in range(1 + _STARTS)]
    return (Figure.of("startup", "s", seconds[1:], STARTUP_TARGET),)


def _start(model: Path, folder: Path) -> float:
    command = [sys.executable, "-u", "-m", "tatumflow.live.cli", "jam", "--headless", "--no-synth"]
    command += ["--model", str(model), "--record", str(folder / "start.mid")]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    seconds = time.perf_counter() - began
    process.terminate()
    try:
        _, error = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        _, error = process.communicate()
    if not line.startswith("model "):
        raise DeviceError(f"the companion does not start: {' '.join(error.split()) or 'no message'}")
    return seconds
