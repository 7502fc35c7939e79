"""A program that listens at a port, for measuring when notes arrive."""

import gc
import time
from multiprocessing.connection import Connection
from typing import Final

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.errors import PortError
from tatumflow.live.midi.midi_bytes import NOTE_ON
from tatumflow.live.midi.midi_ports import InputPort, new_input
from tatumflow.live.midi.port_closing import end_callbacks, set_callback

_CLIENT: Final = "TatumFlow bench listener"
_CONNECT_SECONDS: Final = 0.5
_TRIES: Final = 10


def listen(connection: Connection, port_name: str) -> None:
    """Record the arrival of every note-on of a JACK port until a message comes, then send the list.

    Args:
        connection: Sends None when it listens; then any message ends it; sends seconds, pitch and velocity of
            each note-on, in order.
        port_name: Part of the port's name.
    """
    heard: list[tuple[float, int, int]] = []
    now, hear = SystemClock().now, heard.append

    def arrived(packet: tuple[list[int], float], _: object = None) -> None:
        time_of_arrival = now()
        message = packet[0]
        if message[0] & 0xF0 == NOTE_ON and message[2]:
            hear((time_of_arrival, message[1], message[2]))

    port = _new_port()
    kept = set_callback(port, arrived)
    names = port.get_ports()
    port.open_port(next(index for index, name in enumerate(names) if port_name in name), "listener")
    time.sleep(_CONNECT_SECONDS)
    gc.collect()
    gc.freeze()
    connection.send(None)
    connection.recv()
    end_callbacks([port])
    port.delete()
    kept.clear()
    connection.send(heard)


def _new_port() -> InputPort:
    """Return an input that is not open yet; a server on a busy machine may not answer at once."""
    for _ in range(_TRIES):
        try:
            return new_input("jack", _CLIENT)
        except PortError:
            time.sleep(_CONNECT_SECONDS)
    return new_input("jack", _CLIENT)
