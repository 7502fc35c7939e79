"""JACK clients on either side of an engine: a keyboard and a listener."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tatumflow.engine.errors import DeviceError
from tatumflow.live.midi.midi_bytes import Message, MessageParser
from tatumflow.live.midi.midi_ports import Port, new_input, new_output
from tatumflow.live.midi.port_closing import end_callbacks, end_sending, set_callback
from tatumflow.live.soak.tally import Tally

_LISTENER: Final = "Soak listener"
_MUSICIAN: Final = "Soak musician"
_CONNECT_SECONDS: Final = 0.5


@contextmanager
def listening(tally: Tally, port_name: str) -> Iterator[None]:
    """Count what comes out of the engine's port until the block ends.

    Raises:
        DeviceError: if there is no such port.
    """
    parser, port = MessageParser(), new_input("jack", _LISTENER)

    def arrived(packet: tuple[list[int], float], _: object = None) -> None:
        for message in parser.feed(packet[0]):
            tally.send(message)

    kept = set_callback(port, arrived)
    _connect(port, port_name)
    try:
        yield
    finally:
        end_callbacks([port])
        port.delete()
        kept.clear()


@contextmanager
def keyboard(port_name: str) -> Iterator[Callable[[Message], None]]:
    """Yield a function that plays a message into the engine's port.

    Raises:
        DeviceError: if there is no such port.
    """
    port = new_output("jack", _MUSICIAN)
    _connect(port, port_name)
    # JACK loses what is sent before it has run a cycle with the new connection.
    time.sleep(_CONNECT_SECONDS)
    try:
        yield port.send_message
    finally:
        end_sending([port])
        port.delete()


def _connect(port: Port, name: str) -> None:
    names = port.get_ports()
    found = next((index for index, other in enumerate(names) if name in other), None)
    if found is None:
        raise DeviceError(f"port {name!r} is not there; the engine has opened {', '.join(names) or 'none'}")
    port.open_port(found, name)
