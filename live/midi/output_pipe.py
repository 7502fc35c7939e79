"""The pipe between the engine and the process that holds its MIDI outputs: frames one way, answers back.

A frame is 4 bytes: the length of the MIDI message and the number of its port in the first, the message in the
others. Length 0 begins a call instead: the other three bytes give the length of the JSON text that follows.
Each frame and each call is one write of less than `PIPE_BUF` bytes, so writers on several threads need no
lock.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

MOST_PORTS: Final = 64
"""Ports that one engine can have open at once; a port's number is below this."""

SILENCE: Final = bytes(4)
"""A call without a text: end all that sounds, on every port."""

_FRAME: Final = 4
_PADDING: Final = (b"", b"\0\0", b"\0", b"")
# POSIX's least for a pipe.
_LONGEST_CALL: Final = 512


@dataclass(frozen=True, slots=True)
class OutputChannel:
    """The engine's ends of the two pipes; given to its process when that starts.

    Attributes:
        frames: Takes frames and calls; a write that finds it full is refused.
        answers: Gives one line for each call.
    """

    frames: Connection
    answers: Connection

    def close(self) -> None:
        """Close these copies of the ends."""
        self.frames.close()
        self.answers.close()


@dataclass(frozen=True, slots=True)
class Call:
    """Something that is done to a port rather than played on it.

    Attributes:
        port: Number of the port.
        method: What is done: a method of `output_service.OutputService`.
        arguments: Text and numbers.
    """

    port: int
    method: str
    arguments: tuple[str | int, ...] = ()


def packed_frame(port: int, message: Sequence[int]) -> bytes:
    """Return the frame of a whole MIDI message of 1 to 3 bytes."""
    length = len(message)
    return bytes((length << 6 | port, *message)) + _PADDING[length]


def packed_call(call: Call) -> bytes:
    """Return the bytes of a call.

    Raises:
        ValueError: if its texts are too long to be written at once.
    """
    text = json.dumps([call.port, call.method, *call.arguments]).encode()
    if len(text) + _FRAME > _LONGEST_CALL:
        raise ValueError(f"a MIDI port's name of {len(text)} bytes is too long; rename the port")
    return len(text).to_bytes(_FRAME, "big") + text


def packed_answer(value: Sequence[str] | str | None, error: str = "") -> bytes:
    """Return the line that answers a call."""
    return json.dumps({"value": value, "error": error}).encode() + b"\n"


def answer_of(line: bytes) -> tuple[Any, str]:
    """Return the value and the error, empty if there was none, of an answer."""
    answer = json.loads(line)
    return answer["value"], answer["error"]


class FrameReader:
    """Cuts a stream of bytes into MIDI messages and calls, wherever it was split."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes] | Call | None]:
        """Yield a port's number and a MIDI message, a call, or None for `SILENCE`, as they are complete."""
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= _FRAME:
            head = data[at]
            length = head >> 6
            if length:
                yield head & MOST_PORTS - 1, data[at + 1 : at + 1 + length]
                at += _FRAME
                continue
            size = int.from_bytes(data[at : at + _FRAME], "big")
            if end - at < _FRAME + size:
                break
            at += _FRAME
            if not size:
                yield None
                continue
            port, method, *arguments = json.loads(data[at : at + size])
            at += size
            yield Call(port, method, tuple(arguments))
        self._rest = data[at:]
