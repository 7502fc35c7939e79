"""A program that listens at a port, for measuring when notes arrive."""

import gc
import time
from multiprocessing.connection import Connection
from typing import Final

from tatumflow.engine.clock import SystemClock
from tatumflow.live.midi_bytes import NOTE_ON
from tatumflow.live.midi_ports import new_input
from tatumflow.live.port_closing import end_callbacks, set_callback

_CONNECT_SECONDS: Final = 0.5


def listen(connection: Connection, port_name: str) -> None:
    """Stamp every note-on of a JACK port until told to stop, then say what was heard.

    Args:
        connection: Says None when it listens; takes anything; gives seconds, pitch and velocity of each note.
        port_name: Part of the port's name.
    """
    heard: list[tuple[float, int, int]] = []
    now, hear = SystemClock().now, heard.append

    def arrived(packet: tuple[list[int], float], _: object = None) -> None:
        time_of_arrival = now()
        message = packet[0]
        if message[0] & 0xF0 == NOTE_ON and message[2]:
            hear((time_of_arrival, message[1], message[2]))

    port = new_input("jack", "TatumFlow bench listener")
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
