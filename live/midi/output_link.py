"""The engine's side of the process that holds its MIDI outputs."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from tatumflow.engine.errors import PortError
from tatumflow.live.midi.midi_ports import OutputPort
from tatumflow.live.midi.output_pipe import (
    MOST_PORTS,
    SILENCE,
    Call,
    OutputChannel,
    answer_of,
    packed_call,
    packed_frame,
)

_ANSWER_SECONDS: Final = 10.0
_READ_BYTES: Final = 4096


class OutputLink:
    """Opens outputs in the other process and plays on them.

    Attributes:
        alive: Whether the other process is there.
    """

    def __init__(self, channel: OutputChannel, lost: Callable[[], None]) -> None:
        """Begin to listen for answers; `lost` is called, on its own thread, when the other process ends."""
        self.alive = True
        self._channel = channel
        self._frames = channel.frames.fileno()
        self._lost = lost
        self._calling = threading.Lock()
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._free = set(range(MOST_PORTS))
        self._overflowed = False
        self._reader = threading.Thread(target=self._read, name="output answers", daemon=True)
        self._reader.start()

    def new_output(self, api: str, client: str) -> OutputPort:
        """Return an output that is not open yet; the counterpart of `midi_ports.new_output`.

        Raises:
            PortError: if too many are open.
        """
        if not self._free:
            raise PortError(f"more than {MOST_PORTS} MIDI outputs; disconnect one")
        number = min(self._free)
        self._free.discard(number)
        return _RemoteOutput(self, number, api, client)

    def close(self) -> None:
        """Close the engine's end: whatever is still open is silenced."""
        self.alive = False
        self._frames = -1
        self._channel.frames.close()

    def send(self, frame: bytes) -> None:
        """Write a frame; never waits.

        Raises:
            OSError: if the other process has gone.
        """
        try:
            if self._overflowed:
                os.write(self._frames, SILENCE)
                self._overflowed = False
            os.write(self._frames, frame)
        except BlockingIOError:
            # The process stands still. What is lost may be the end of a note: all is ended when it goes on.
            self._overflowed = True

    def call(self, call: Call) -> Any:  # noqa: ANN401
        """Make a call and return its value.

        Raises:
            OSError: if the call fails, or the other process has gone.
        """
        with self._calling:
            if not self.alive:
                raise OSError("the process that holds the MIDI outputs has ended")
            while not self._answers.empty():
                # The late answer of a call that timed out.
                self._answers.get()
            try:
                os.write(self._frames, packed_call(call))
                line = self._answers.get(timeout=_ANSWER_SECONDS)
            except (ValueError, BlockingIOError, queue.Empty) as error:
                reason = str(error) or "no answer"
                raise OSError(f"the process that holds the MIDI outputs: {reason}") from None
        if line is None:
            raise OSError("the process that holds the MIDI outputs has ended")
        value, problem = answer_of(line)
        if problem:
            raise OSError(problem)
        return value

    def free(self, number: int) -> None:
        """Free the number of a port for the next one."""
        self._free.add(number)

    def _read(self) -> None:
        rest, descriptor = b"", self._channel.answers.fileno()
        try:
            while data := os.read(descriptor, _READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._answers.put(line)
        except OSError:
            pass
        self._channel.answers.close()
        gone = self.alive
        self.alive = False
        self._answers.put(None)
        if gone:
            self._lost()


class _RemoteOutput:
    """An RtMidi output in the other process; a `midi_ports.OutputPort`."""

    def __init__(self, link: OutputLink, number: int, api: str, client: str) -> None:
        self._link = link
        self._number = number
        self._client = (api, client)
        self._send = link.send

    def send_message(self, message: Sequence[int]) -> None:
        """Send one whole message."""
        self._send(packed_frame(self._number, message))

    def get_ports(self) -> list[str]:
        """Return the names of the ports it could be connected to."""
        return self._call("get_ports", *self._client)

    def open_port(self, port: int, name: str) -> None:
        """Connect to a port by its place in `get_ports`, under a name of our own."""
        self._call("open_port", *self._client, port, name)

    def open_virtual_port(self, name: str) -> None:
        """Offer a port to other programs, that of an earlier engine if it left one of this name."""
        self._call("open_virtual_port", *self._client, name)

    def close_port(self) -> None:
        """Disconnect; whatever is sent from then on is lost."""
        with suppress(OSError):
            self._call("close_port")

    def delete(self) -> None:
        """Release everything; the object may not be used again."""
        with suppress(OSError):
            self._call("delete")
        self._link.free(self._number)

    def _call(self, method: str, *arguments: str | int) -> Any:  # noqa: ANN401
        return self._link.call(Call(self._number, method, arguments))
