"""Two musicians and an audience for the port tests: companions, players and listeners on a JACK server."""

import contextlib
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

PLAYER = Path(__file__).with_name("player.py")
COMPANION_STATUS = 0x91
NUMBERS = itertools.count(1)
PATIENCE = 30
"""Seconds to wait for what takes a moment on an idle machine."""


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Return whether a condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class Listener:
    """Hears what comes out of a port and keeps count of the keys whose own note-off has not come."""

    def __init__(self, *, connect: str = "", offer: str = "") -> None:
        import rtmidi

        from tatumflow.live.midi.port_closing import set_callback

        self.messages: list[tuple[int, ...]] = []
        self.sounding: set[tuple[int, int]] = set()
        self.double_ons = 0
        self._closed = False
        self._port = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, offer or f"listener {next(NUMBERS)}")
        self._port.ignore_types(timing=False)
        self._kept = set_callback(self._port, self._hear)
        if offer:
            self._port.open_virtual_port(offer)
            return
        assert wait_until(lambda: any(connect in name for name in self._port.get_ports()))
        names = self._port.get_ports()
        self._port.open_port(next(index for index, name in enumerate(names) if connect in name))

    def _hear(self, packet: tuple[list[int], float], _: object = None) -> None:
        message = tuple(packet[0])
        self.messages.append(message)
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90 and message[2]:
            self.double_ons += (channel, message[1]) in self.sounding
            self.sounding.add((channel, message[1]))
        elif kind in (0x80, 0x90):
            self.sounding.discard((channel, message[1]))

    def companion_ons(self) -> int:
        """Return how many notes the companion has begun."""
        return sum(message[0] == COMPANION_STATUS and message[2] > 0 for message in list(self.messages))

    def close(self) -> None:
        """Stop listening; does nothing the second time."""
        from tatumflow.live.midi.port_closing import end_callbacks

        if not self._closed:
            self._closed = True
            end_callbacks([self._port])
            self._port.delete()


class Player:
    """A process that plays; it can be killed in the middle of a note."""

    def __init__(self, *target: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PLAYER), *target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._expect("ready")

    def play(self, *commands: str) -> None:
        """Do commands one after the other and return when they are done."""
        assert self.process.stdin is not None
        for command in commands:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
            self._expect(command)

    def phrase(self) -> None:
        """Play four notes and release the last key."""
        for pitch in (60, 64, 67, 72):
            self.play(f"on {pitch}", "wait 0.12", f"off {pitch}")

    def kill(self) -> None:
        """Die without a word."""
        self.process.kill()
        self.process.wait()

    def _expect(self, text: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == text


@dataclass
class Companion:
    """A headless `tatumflow jam`, its ports and its recording."""

    process: subprocess.Popen[str]
    name: str
    recording: Path

    @property
    def input_port(self) -> str:
        return f"{self.name} in"

    @property
    def output_port(self) -> str:
        return f"{self.name} out"

    def says(self, text: str) -> str:
        """Return the next line it prints that holds some text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return line
        pytest.fail(f"it ended without saying {text!r}")

    def engine(self) -> psutil.Process:
        """Return the engine's process."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if "spawn_main" in " ".join(child.cmdline()))

    def interrupt(self) -> int:
        """Press Ctrl+C and return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(2 * PATIENCE)

    def kill(self) -> None:
        """End what is left of it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                process.kill()
        self.process.kill()
        self.process.wait()


def play_until_answered(player: Player, listener: Listener, tries: int = 8) -> None:
    """Play phrases until the companion begins a note; a tiny model's answer may be all silence."""
    for _ in range(tries):
        before = listener.companion_ons()
        player.phrase()
        if wait_until(lambda before=before: listener.companion_ons() > before, 6):
            return
    pytest.fail("no answer")
