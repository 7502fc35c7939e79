"""Reading OSC packets (OSC 1.0): messages out of bundles, and the first argument of a message.

Only what steering needs, so that a packet costs a few microseconds and nothing it holds is ever logged.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

_BUNDLE: Final = b"#bundle\0"
_BUNDLE_HEADER: Final = 16
_DEEPEST: Final = 16

Argument = str | int | float | bool | None


class OscError(ValueError):
    """A packet that is no OSC."""


def _string(data: bytes, index: int) -> tuple[bytes, int]:
    """Return the bytes of a string and where it ends, padding to four bytes included."""
    end = data.find(b"\0", index)
    if end < 0:
        raise OscError("a string has no end")
    return data[index:end], end + 4 - (end - index) % 4


def _text(data: bytes, index: int) -> str:
    try:
        return _string(data, index)[0].decode()
    except UnicodeDecodeError:
        raise OscError("a string is no UTF-8") from None


def _number(layout: str) -> Callable[[bytes, int], float]:
    reader = struct.Struct(layout)

    def read(data: bytes, index: int) -> float:
        try:
            return reader.unpack_from(data, index)[0]
        except struct.error:
            raise OscError("a number is cut short") from None

    return read


_READERS: Final[Mapping[int, Callable[[bytes, int], Argument]]] = MappingProxyType(
    {
        ord("i"): _number(">i"),
        ord("h"): _number(">q"),
        ord("f"): _number(">f"),
        ord("d"): _number(">d"),
        ord("s"): _text,
        ord("S"): _text,
        ord("T"): lambda data, index: True,
        ord("F"): lambda data, index: False,
    }
)


def messages_of(packet: bytes) -> Iterator[bytes]:
    """Yield the messages of a packet in their order, those of bundles within bundles too.

    Raises:
        OscError: if the packet is empty, a bundle is cut short or lies more than 16 deep.
    """
    waiting = [(packet, 0)]
    while waiting:
        data, depth = waiting.pop()
        if not data.startswith(_BUNDLE):
            if not data.startswith(b"/"):
                raise OscError("it begins with no address")
            yield data
            continue
        if depth >= _DEEPEST:
            raise OscError("bundles lie too deep")
        index, elements = _BUNDLE_HEADER, list[tuple[bytes, int]]()
        while index < len(data):
            size = int.from_bytes(data[index : index + 4], "big")
            index += 4
            if not 0 < size <= len(data) - index:
                raise OscError("a bundle is cut short")
            elements.append((data[index : index + size], depth + 1))
            index += size
        waiting += reversed(elements)


def address_of(message: bytes) -> str:
    """Return the address of a message.

    Raises:
        OscError: if it has none.
    """
    return _text(message, 0)


def first_argument(message: bytes) -> tuple[bool, Argument]:
    """Return whether a message has an argument, and the first one; None for one that is no number or word.

    Raises:
        OscError: if it is cut short.
    """
    _, index = _string(message, 0)
    if index >= len(message):
        return False, None
    tags, index = _string(message, index)
    if not tags.startswith(b","):
        raise OscError("the types of its arguments are missing")
    if len(tags) == 1:
        return False, None
    reader = _READERS.get(tags[1])
    return True, None if reader is None else reader(message, index)
