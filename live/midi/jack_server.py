"""A JACK server without sound hardware, for measurements on real ports."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.scheduler_thread import request_real_time
from tatumflow.live.midi.midi_ports import api_problem
from tatumflow.live.quiet import quiet_stderr

RATE: Final = 48_000
"""Frames a second."""

# Always the same: the place of a killed server, among JACK's few, is free only to one of the same name.
_NAME: Final = "tatumflow-bench"
_START_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05
# Above the scheduler's, since clients have five less than the server.
_PRIORITY: Final = 20


@contextmanager
def dummy_jack(period: int) -> Iterator[None]:
    """Run a server, the default of this process and those it starts until the block ends.

    It and its clients run at real-time priority where that is granted, as musicians have it. Its cycles wait
    for every client: otherwise the messages of a client that is late on a busy machine are lost.

    Args:
        period: Frames of a cycle. JACK delivers once a cycle, so that is how exact a time of arrival is.

    Raises:
        DeviceError: if it does not start.
    """
    if shutil.which("jackd") is None:
        raise DeviceError("jackd is missing; `sudo apt install jackd2` or `brew install jack`")
    changed = {"JACK_DEFAULT_SERVER": _NAME, "JACK_NO_START_SERVER": "1"}
    before = {key: os.environ.get(key) for key in changed}
    os.environ.update(changed)
    try:
        if _answers():
            raise DeviceError("a JACK server for measurements runs already; wait until that one has ended")
        with _running(period):
            yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@contextmanager
def _running(period: int) -> Iterator[None]:
    """Run the server until the block ends."""
    priority = ["-R", "-P", str(_PRIORITY)] if _real_time_granted() else ["-r"]
    command = ["jackd", "-n", _NAME, *priority, "-S", "-t", "100"]
    command += ["-d", "dummy", "-r", str(RATE), "-p", str(period)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        patience = time.monotonic() + _START_SECONDS
        while not _answers():
            if server.poll() is not None or time.monotonic() > patience:
                raise DeviceError("jackd does not start; try `jackd -r -d dummy` to see its output")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        server.terminate()
        try:
            server.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _real_time_granted() -> bool:
    granted: list[bool] = []
    asking = threading.Thread(target=lambda: granted.append(request_real_time()), name="priority probe")
    asking.start()
    asking.join()
    return granted[0]


def _answers() -> bool:
    with quiet_stderr():
        return not api_problem("jack")
