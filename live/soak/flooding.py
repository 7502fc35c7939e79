"""A process that floods an engine with control values, as a stuck knob or a faulty OSC sender does."""

import math
import multiprocessing
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Final

from tatumflow.live.midi.midi_bytes import CONTROL_CHANGE

CONTROLLERS: Final = {"temperature": 20, "surprise": 21}
"""Controllers that the flood moves, by what they steer: how notes are sampled, and what the phrase is."""

_BATCH_SECONDS: Final = 0.002
_LOOPBACK: Final = "127.0.0.1"
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 5.0
# About the middle of each range, so that the music is much as without.
_SWEEP: Final = (56, 16)
_OSC_SWEEPS: Final = {"temperature": (0.9, 0.2), "top_p": (0.85, 0.1), "surprise": (0.4, 0.2)}


@contextmanager
def controllers_from(port_name: str, a_second: int, most_seconds: float) -> Iterator[None]:
    """Move the `CONTROLLERS` into a JACK port, `a_second` times in all, until the block ends."""
    with _flood(_move_controllers, port_name, a_second, most_seconds):
        yield


@contextmanager
def osc_to(port: int, a_second: int, most_seconds: float) -> Iterator[None]:
    """Send OSC messages to a UDP port of this machine until the block ends."""
    with _flood(_send_osc, port, a_second, most_seconds):
        yield


def osc_message(address: str, value: float | None = None) -> bytes:
    """Return an OSC message with one number, or none."""
    tags = b",\0\0\0" if value is None else b",f\0\0" + struct.pack(">f", value)
    name = address.encode()
    return name + b"\0" * (4 - len(name) % 4) + tags


@contextmanager
def _flood(
    flood: Callable[[int | str, int, float, Event, Event], None],
    target: int | str,
    a_second: int,
    most_seconds: float,
) -> Iterator[None]:
    """Run a flood in a process of its own, so that it takes no time from the measuring one."""
    context = multiprocessing.get_context("spawn")
    begun, over = context.Event(), context.Event()
    process = context.Process(target=flood, args=(target, a_second, most_seconds, begun, over), daemon=True)
    process.start()
    try:
        begun.wait(_START_SECONDS)
        yield
    finally:
        over.set()
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.kill()


def _paced(send: Callable[[int], None], a_second: int, most_seconds: float, over: Event) -> None:
    """Call `send` with 0, 1, 2 and so on, `a_second` times a second, for a limited time."""
    start = time.monotonic()
    sent = 0
    while not over.is_set() and (elapsed := time.monotonic() - start) < most_seconds:
        while sent < elapsed * a_second:
            send(sent)
            sent += 1
        time.sleep(_BATCH_SECONDS)


def _triangle(index: int, period: int) -> float:
    """Return a value between 0 and 1 that goes up and down."""
    return abs(2.0 * math.fmod(index / period, 1.0) - 1.0)


def _move_controllers(
    target: int | str, a_second: int, most_seconds: float, begun: Event, over: Event
) -> None:
    from tatumflow.live.soak.port_ends import keyboard

    numbers = list(CONTROLLERS.values())
    low, width = _SWEEP
    with keyboard(str(target)) as play:
        begun.set()

        def move(index: int) -> None:
            value = low + round(width * _triangle(index, a_second))
            play((CONTROL_CHANGE, numbers[index % len(numbers)], value))

        _paced(move, a_second, most_seconds, over)


def _send_osc(target: int | str, a_second: int, most_seconds: float, begun: Event, over: Event) -> None:
    sweeps = list(_OSC_SWEEPS.items())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        begun.set()

        def send(index: int) -> None:
            name, (low, width) = sweeps[index % len(sweeps)]
            value = low + width * _triangle(index, a_second)
            sender.sendto(osc_message(f"/tatumflow/{name}", value), (_LOOPBACK, int(target)))

        _paced(send, a_second, most_seconds, over)
