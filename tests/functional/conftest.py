"""A JACK server of the suite's own, with companions, players and listeners on it."""

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import psutil
import pytest
from duo import NUMBERS, PATIENCE, Companion, Listener, Player, wait_until
from needs import NEEDS, lacking


def _claim(name: str) -> IO[str] | None:
    """Return an open file that keeps a server's name from other runs of the suite, None if one has it."""
    lock = (Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _started(name: str) -> subprocess.Popen[bytes] | None:
    """Return a server that answers; None if it does not, though it is the default of this process."""
    from tatumflow.live.midi.midi_ports import api_problem

    command = ["jackd", "-n", name]
    for process in psutil.process_iter(["cmdline"]):
        # Left by a run that was killed: whoever has the name has no other.
        if process.info["cmdline"] and process.info["cmdline"][: len(command)] == command:
            with contextlib.suppress(psutil.Error):
                process.kill()
                process.wait(PATIENCE)
    # Synchronous, so that a cycle waits for everyone: otherwise JACK loses or repeats the messages of whoever
    # is late on a busy machine.
    server = subprocess.Popen(
        [*command, "-r", "-S", "-t", "100", "-d", "dummy", "-r", "48000", "-p", "256"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: server.poll() is not None or not api_problem("jack"), PATIENCE)
    if server.poll() is None and not api_problem("jack"):
        return server
    _end(server)
    return None


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server in order: one that is killed keeps its place among JACK's few."""
    server.terminate()
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def jack_server() -> Iterator[str]:
    """Start a JACK server without sound hardware and make it the default of this process and its children."""
    found, reason = NEEDS["jackd"]
    if not found():
        lacking(reason)
    # Few names, used again: the place of a server that was killed is free only to one of the same name.
    names = (f"tatumflow-test-{number}" for number in range(4))
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("JACK_NO_START_SERVER", "1")
        for name in names:
            lock = _claim(name)
            if lock is None:
                continue
            stack.enter_context(lock)
            patch.setenv("JACK_DEFAULT_SERVER", name)
            server = _started(name)
            if server is not None:
                stack.callback(_end, server)
                break
        else:
            lacking("jackd cannot start here")
        yield name


@pytest.fixture
def start_companion(
    jack_server: str, tiny_bundle: Path, tmp_path: Path
) -> Iterator[Callable[..., Companion]]:
    """Return what starts a companion on ports of its own and waits until it plays."""
    started: list[Companion] = []

    def start(
        *arguments: str, settings_lines: str = "", environment: Mapping[str, str] | None = None
    ) -> Companion:
        name = f"Duo{next(NUMBERS)}"
        settings = tmp_path / f"{name}.yaml"
        settings.write_text(f"ports: {{virtual_name: {name}}}\n{settings_lines}")
        recording = tmp_path / f"{name}.mid"
        command = [sys.executable, "-m", "tatumflow.live.cli", "jam", "--headless", "--no-synth"]
        command += ["--api", "jack", "--model", str(tiny_bundle), "--settings", str(settings)]
        command += ["--record", str(recording), *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {"XDG_STATE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
            | dict(environment or {}),
        )
        companion = Companion(process, name, recording)
        started.append(companion)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("model "), line
        return companion

    yield start
    for companion in started:
        companion.kill()


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
