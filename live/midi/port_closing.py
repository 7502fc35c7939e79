"""Closing RtMidi's ports without a crash: its threads may be inside a port while it is being taken down.

RtMidi frees what a port's thread works with before it ends that thread (under JACK an output's ring
buffer, in Python an input's callback), and it holds the interpreter's lock while it waits for a thread that
may itself be waiting for that lock. Nothing shows when a thread has left a port, so ports are closed in
steps, with pauses between them that are many times as long as what they wait for.
"""

import gc
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from tatumflow.live.midi.midi_ports import InputPort, OutputPort

_THREAD_SECONDS: Final = 0.1
# Two of JACK's longest usual periods, 4,096 frames.
_DELIVERY_SECONDS: Final = 0.2
_SLICES: Final = 10

Callback = Callable[[tuple[list[int], float], Any], None]
"""Takes a packet, its bytes and the seconds since the last one, and RtMidi's user data."""


def set_callback(port: InputPort, callback: Callback) -> list[object]:
    """Have every packet passed to `callback` on RtMidi's thread.

    Returns:
        What has to be kept until the port has been deleted.
    """
    port.set_callback(callback)
    # The thread gets the bare address of the tuple that the binding wraps the callback in. Cancelling frees
    # the tuple, while a packet just arrived may be waiting with that address for the interpreter's lock.
    return [referrer for referrer in gc.get_referrers(callback) if type(referrer) is tuple]


def end_callbacks(ports: Iterable[InputPort]) -> None:
    """Listen no more; none of the ports' callbacks is under way afterwards, so that they can be deleted."""
    for port in ports:
        port.cancel_callback()
    _pause(_THREAD_SECONDS)


def end_sending(ports: Iterable[OutputPort]) -> None:
    """Disconnect when what was sent has left; no thread is in the ports afterwards, so they can be deleted.

    What is still sent on them is lost; all sending has to have stopped before they are deleted.
    """
    _pause(_DELIVERY_SECONDS)
    for port in ports:
        port.close_port()
    _pause(_THREAD_SECONDS)


def _pause(seconds: float) -> None:
    """Sleep in slices: a machine that stalls for a moment takes only one of them from the other threads."""
    for _ in range(_SLICES):
        time.sleep(seconds / _SLICES)
