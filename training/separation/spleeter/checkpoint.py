"""Reading the tensors of a TensorFlow checkpoint without TensorFlow.

A checkpoint is a data file and its index: a LevelDB table from names to `BundleEntryProto`
messages (TensorFlow, `core/util/tensor_bundle` and `core/protobuf/tensor_bundle.proto`; LevelDB,
`doc/table_format.md`). Nothing in it is executed.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.export.errors import ExportError

_MAGIC: Final = 0xDB4775248B80FB57
_FOOTER: Final = 48
_UNCOMPRESSED: Final = 0
_FLOAT: Final = 1
"""`DT_FLOAT` of TensorFlow's types."""

_FIXED_SIZES: Final = {1: 8, 5: 4}
"""Bytes of the fixed wire types of Protocol Buffers."""


@dataclass(frozen=True)
class _Entry:
    """Entry of a tensor: type, shape, shard, first byte and size."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def read_tensors(index: bytes, data: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the float tensors of a checkpoint by name; those of other types are left out.

    `index` is the content of `*.index`, `data` that of `*.data-00000-of-00001`.

    Raises:
        ExportError: if it is damaged, or has more than one data file.
    """
    try:
        entries = {key.decode(): _entry(value) for key, value in _table(index) if key}
        tensors = {}
        for name, entry in entries.items():
            if entry.dtype != _FLOAT:
                continue
            if entry.shard:
                raise ValueError(f"{name} is in a further data file")
            content = data[entry.offset : entry.offset + entry.size]
            if len(content) != entry.size or entry.size != 4 * math.prod(entry.shape):
                raise ValueError(f"{name} is cut off")
            tensors[name] = np.frombuffer(content, "<f4").astype(np.float32).reshape(entry.shape)
    except (LookupError, ValueError, struct.error) as error:
        raise ExportError(f"checkpoint: cannot be read ({error}); get the package again") from None
    return tensors


def _table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a LevelDB table."""
    footer = content[-_FOOTER:]
    if len(footer) < _FOOTER or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("its index is no table")
    place = _handle(footer, 0)[2]  # past the block of metadata
    for _, value in _block(content, footer[place:]):
        yield from _block(content, value)


def _block(content: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block: a key is a prefix shared with the last one, and the rest."""
    first, size, _ = _handle(handle, 0)
    block = content[first : first + size]
    if len(block) != size or content[first + size] != _UNCOMPRESSED:
        raise ValueError("its index is compressed or cut off")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 * (restarts + 1)
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        rest, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + rest]
        place += rest
        yield key, block[place : place + length]
        place += length


def _handle(content: bytes, place: int) -> tuple[int, int, int]:
    """Return a block's first byte and size, and the place after them."""
    first, place = _varint(content, place)
    size, place = _varint(content, place)
    return first, size, place


def _entry(message: bytes) -> _Entry:
    fields = dict(_fields(message))
    dimensions = [dict(_fields(part)) for number, part in _fields(_bytes(fields.get(2, b""))) if number == 2]
    shape = tuple(_number(dimension.get(1, 0)) for dimension in dimensions)
    dtype, shard, offset, size = (_number(fields.get(number, 0)) for number in (1, 3, 4, 5))
    return _Entry(dtype, shape, shard, offset, size)


def _fields(message: bytes | int) -> Iterator[tuple[int, bytes | int]]:
    """Yield the numbers and values of a message's fields."""
    content, place = _bytes(message), 0
    while place < len(content):
        key, place = _varint(content, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(content, place)
            yield number, value
            continue
        if wire == 2:
            length, place = _varint(content, place)
        else:
            length = _FIXED_SIZES[wire]
        yield number, content[place : place + length]
        place += length


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("its index is garbled")
    return value


def _number(value: bytes | int) -> int:
    if isinstance(value, bytes):
        raise ValueError("its index is garbled")
    return value


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place after it."""
    value = shift = 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, place
        shift += 7
