"""The process that holds the MIDI outputs, so that what the engine left sounding can still be ended.

`python -m tatumflow.live.midi.output_service FD`: the socket FD brings the pipes of one engine after another.
Nothing heavy is imported: it starts in a fraction of a second and costs little memory.
"""

import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tatumflow.engine.errors import PortError
from tatumflow.live.midi.midi_bytes import Message, silence
from tatumflow.live.midi.midi_ports import MIDI_ERRORS, OutputPort, new_output
from tatumflow.live.midi.output_pipe import Call, FrameReader, packed_answer
from tatumflow.live.midi.outputs import Ledger
from tatumflow.live.midi.port_closing import end_sending

MakeOutput = Callable[[str, str], OutputPort]
"""Returns an output of a MIDI system, shown to other programs under the name of a client."""

_READ_BYTES: Final = 65_536
_ERRORS: Final = (*MIDI_ERRORS, PortError)


@dataclass
class _Held:
    """An open port: RtMidi's side, what sounds on it, and its name where other programs connect to it."""

    port: OutputPort
    api: str
    virtual: str = ""
    ledger: Ledger = field(default_factory=Ledger)


class OutputService:
    """Plays on MIDI outputs what comes through a pipe, and ends what sounds when the other end is gone.

    Ports that other programs connect to stay open from one engine to the next, with their connections.
    """

    def __init__(self, make_output: MakeOutput = new_output) -> None:
        """Hold nothing yet; `make_output` makes outputs."""
        self._make_output = make_output
        self._held: dict[int, _Held] = {}
        self._left: list[_Held] = []

    def serve(self, frames: int, answers: int) -> None:
        """Play for one engine until its end of the pipe is closed; then silence what it left.

        `frames` gives the bytes of `output_pipe`, `answers` takes the answers; both descriptors are closed at
        the end.
        """
        reader, held = FrameReader(), self._held
        try:
            while data := os.read(frames, _READ_BYTES):
                for item in reader.feed(data):
                    if isinstance(item, tuple):
                        number, message = item
                        one = held.get(number)
                        if one is not None:
                            _play(one, tuple(message))
                    elif item is None:
                        self.silence()
                    else:
                        os.write(answers, self._answer(item))
        except OSError:
            # The engine has gone before its answer came.
            pass
        finally:
            os.close(frames)
            os.close(answers)
            self._engine_gone()

    def silence(self) -> None:
        """End every sounding note, release every pedal and send All Notes Off, on every port."""
        for one in (*self._held.values(), *self._left):
            for message in (*one.ledger.releases(), *silence()):
                _play(one, message)

    def close(self) -> None:
        """Close every port."""
        ports = [one.port for one in (*self._held.values(), *self._left)]
        self._held.clear()
        self._left.clear()
        if ports:
            end_sending(ports)
        for port in ports:
            port.delete()

    def _engine_gone(self) -> None:
        if not self._held:
            return
        self.silence()
        unnamed = [one for one in self._held.values() if not one.virtual]
        self._left += [one for one in self._held.values() if one.virtual]
        self._held.clear()
        # Connections to devices are made anew by the next engine, which checks that the device is there.
        if unnamed:
            end_sending([one.port for one in unnamed])
        for one in unnamed:
            one.port.delete()

    def _answer(self, call: Call) -> bytes:
        try:
            return packed_answer(self._do(call))
        except _ERRORS as error:
            return packed_answer(None, str(error) or type(error).__name__)

    def _do(self, call: Call) -> list[str] | None:
        number, arguments = call.port, call.arguments
        match call.method, arguments:
            case "get_ports", (str(api), str(client)):
                return self._opened(number, api, client).port.get_ports()
            case "open_port", (str(api), str(client), int(index), str(name)):
                self._opened(number, api, client).port.open_port(index, name)
            case "open_virtual_port", (str(api), str(client), str(name)):
                self._open_virtual(number, api, client, name)
            case "close_port", ():
                one = self._held.get(number)
                if one is not None:
                    one.port.close_port()
            case "delete", ():
                one = self._held.pop(number, None)
                if one is not None:
                    one.port.delete()
            case _:
                raise PortError(f"{call.method}: no such call")
        return None

    def _opened(self, number: int, api: str, client: str) -> _Held:
        one = self._held.get(number)
        if one is None:
            one = self._held[number] = _Held(self._make_output(api, client), api)
        return one

    def _open_virtual(self, number: int, api: str, client: str, name: str) -> None:
        for one in self._left:
            if (one.api, one.virtual) == (api, name):
                self._left.remove(one)
                self._held[number] = one
                return
        one = self._opened(number, api, client)
        one.port.open_virtual_port(name)
        one.virtual = name


def _play(one: _Held, message: Message) -> None:
    if message[0] < 0xF0:
        one.ledger.note(message)
    try:
        one.port.send_message(message)
    except _ERRORS:
        # It has just been unplugged; the engine sees that at its next scan of the ports.
        return


def _received(control: socket.socket) -> tuple[int, int] | None:
    """Return the pipes of the next engine, None when there will be none."""
    data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
    return (descriptors[0], descriptors[1]) if data and len(descriptors) == 2 else None


def main() -> None:
    """Serve one engine after the other until the other end of the socket is closed."""
    # It ends after the engine, also when a signal interrupts the whole group of processes.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    from tatumflow.engine.midi.scheduler_thread import request_real_time

    request_real_time()
    gc.collect()
    gc.freeze()
    service = OutputService()
    try:
        while (pipes := _received(control)) is not None:
            service.serve(*pipes)
    finally:
        service.silence()
        service.close()


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
