"""A JACK server of the suite's own, with companions, players and listeners on it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from duo import NUMBERS, Companion, Listener, Player, wait_until


def _started(number: int) -> subprocess.Popen[bytes] | None:
    """Return a server that answers and make it the default, None if it does not."""
    from tatumflow.live.midi_ports import api_problem

    # A shorter period is over before a busy machine has let everyone answer, and then JACK loses messages.
    # A server that was killed keeps its place among JACK's few until one of the same name is started.
    name = f"tatumflow-test-{number}"
    server = subprocess.Popen(
        ["jackd", "-n", name, "-r", "-d", "dummy", "-r", "48000", "-p", "256"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.environ |= {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    wait_until(lambda: server.poll() is not None or not api_problem("jack"), 10)
    if server.poll() is None and not api_problem("jack"):
        return server
    server.kill()
    server.wait()
    return None


@pytest.fixture(scope="session")
def jack_server() -> Iterator[str]:
    """Start a JACK server without sound hardware and make it the default of this process and its children."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed; `sudo apt install jackd2` or `brew install jack`")
    kept = {key: os.environ.get(key) for key in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER")}
    server = next((server for server in map(_started, range(4)) if server is not None), None)
    try:
        if server is None:
            pytest.skip("jackd cannot start here")
        yield os.environ["JACK_DEFAULT_SERVER"]
    finally:
        if server is not None:
            server.terminate()
            server.wait(10)
        for key, value in kept.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@pytest.fixture
def start_companion(
    jack_server: str, tiny_bundle: Path, tmp_path: Path
) -> Iterator[Callable[..., Companion]]:
    """Return what starts a companion on ports of its own and waits until it plays."""
    started: list[Companion] = []

    def start(*arguments: str) -> Companion:
        name = f"Duo{next(NUMBERS)}"
        settings = tmp_path / f"{name}.yaml"
        settings.write_text(f"ports: {{virtual_name: {name}}}\n")
        recording = tmp_path / f"{name}.mid"
        command = [sys.executable, "-m", "tatumflow.live.cli", "jam", "--headless", "--no-synth"]
        command += ["--api", "jack", "--model", str(tiny_bundle), "--settings", str(settings)]
        command += ["--record", str(recording), *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        )
        companion = Companion(process, name, recording)
        started.append(companion)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("model "), line
        return companion

    yield start
    for companion in started:
        companion.process.kill()
        companion.process.wait()


@pytest.fixture
def player_for() -> Iterator[Callable[..., Player]]:
    """Return what starts a player process."""
    players: list[Player] = []

    def start(*target: str) -> Player:
        players.append(Player(*target))
        return players[-1]

    yield start
    for player in players:
        player.kill()


@pytest.fixture
def listener_for() -> Iterator[Callable[..., Listener]]:
    """Return what connects a listener."""
    listeners: list[Listener] = []

    def start(**port: str) -> Listener:
        listeners.append(Listener(**port))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()
