"""The beat network: a temporal convolutional network over onset features, in NumPy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import BundleError

KERNEL: Final = 5
"""Taps of a dilated convolution."""

FORMAT: Final = 1
"""Version of the weights file's format."""

_Array = NDArray[np.float32]


@dataclass(frozen=True)
class BeatNetworkShape:
    """Size and kind of a beat network.

    Attributes:
        channels: Width of its residual stream.
        dilations: Frames between the taps of each block's convolution.
        causal: Whether it reads no later frame than that of the output row.
        delay: Frames by which its output lags: row f is about frame f - delay.
    """

    channels: int
    dilations: tuple[int, ...]
    causal: bool
    delay: int


@dataclass(frozen=True)
class NetworkState:
    """State of a causal network between calls: the last inputs of each convolution, oldest first.

    Attributes:
        inputs: The stem's, then one array for each block, shape (frames, channels).
    """

    inputs: tuple[_Array, ...]


class BeatNetwork:
    """Activations of beats and downbeats from onset features.

    A residual temporal convolutional network after Davies and Böck, "Temporal convolutional networks for
    musical audio beat tracking", EUSIPCO 2019, without its convolutions over a spectrum.

    Attributes:
        shape: Its size and kind.
        weights: Its weights, named as in `write_network`.
    """

    def __init__(self, shape: BeatNetworkShape, weights: dict[str, _Array]) -> None:
        """Take weights as `read_weights` returns them."""
        self.shape = shape
        self.weights = weights
        self._stem = (weights["stem.weight"], weights["stem.bias"])
        self._blocks = [
            tuple(
                weights[f"{name}.{index}.{part}"] for name in ("wide", "mix") for part in ("weight", "bias")
            )
            for index in range(len(shape.dilations))
        ]
        self._head = (weights["head.weight"], weights["head.bias"])

    def activations(self, features: _Array) -> _Array:
        """Return the activations of frames (n, `FEATURES`), (n, 2), 0 to 1: of a beat and of a downbeat."""
        delay = self.shape.delay
        padded = np.pad(features, ((0, delay), (0, 0)))
        sides = (1.0, 0.0) if self.shape.causal else (0.5, 0.5)
        x = _elu(_convolve(_padded(padded, 2, sides), *self._stem, 1))
        for dilation, (wide, wide_bias, mix, mix_bias) in zip(
            self.shape.dilations, self._blocks, strict=True
        ):
            reach = (KERNEL - 1) * dilation
            y = _elu(_convolve(_padded(x, reach, sides), wide, wide_bias, dilation))
            x = _sum(x, y @ mix, mix_bias)
        return self._output(x)[delay:]

    def begin(self) -> NetworkState:
        """Return the state before the first frame; of a causal network only."""
        channels = self.shape.channels
        reaches = [(KERNEL - 1) * dilation for dilation in self.shape.dilations]
        stem = np.zeros((2, self._stem[0].shape[1]), dtype=np.float32)
        return NetworkState((stem, *(np.zeros((reach, channels), dtype=np.float32) for reach in reaches)))

    def advance(self, state: NetworkState, features: _Array) -> tuple[NetworkState, _Array]:
        """Process more frames; of a causal network only.

        Args:
            state: The result of `begin` or of the call before.
            features: Shape (frames, `FEATURES`).

        Returns:
            The state after them, and activations of shape (frames, 2), which lag by `shape.delay` frames.
        """
        inputs = [np.concatenate([state.inputs[0], features])]
        x = _elu(_convolve(inputs[0], *self._stem, 1))
        for index, (wide, wide_bias, mix, mix_bias) in enumerate(self._blocks):
            inputs.append(np.concatenate([state.inputs[index + 1], x]))
            y = _elu(_convolve(inputs[-1], wide, wide_bias, self.shape.dilations[index]))
            x = _sum(x, y @ mix, mix_bias)
        kept = zip(inputs, state.inputs, strict=True)
        return NetworkState(tuple(new[len(new) - len(old) :] for new, old in kept)), self._output(x)

    def _output(self, x: _Array) -> _Array:
        logits = _elu(x) @ self._head[0] + self._head[1]
        return (1 / (1 + np.exp(-logits))).astype(np.float32)


def read_with_extra(path: Path) -> tuple[BeatNetwork, dict[str, Any]]:
    """Read a network and the metadata of its file, such as its licence.

    Raises:
        BundleError: if the file cannot be read, or is of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            weights = {name: file[name].astype(np.float32) for name in file.files if name != "about"}
        if about["format"] != FORMAT:
            raise BundleError(
                f"{path.name}: has format {about['format']}, this version reads {FORMAT}; train it again"
            )
        shape = BeatNetworkShape(
            about["channels"], tuple(about["dilations"]), about["causal"], about["delay"]
        )
        return BeatNetwork(shape, weights), about
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{path.name}: is no beat network ({error}); train one with `tatumflow beats train`"
        ) from error


def write_network(
    path: Path,
    shape: BeatNetworkShape,
    weights: dict[str, _Array],
    licence: str,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a network's weights in half precision.

    Args:
        path: The file, which ends in .npz.
        shape: Its size and kind.
        weights: Arrays of taps, inputs and outputs, in this order: `stem` (3, features, channels), of each
            block i `wide.i` (5, channels, channels) and `mix.i` (channels, channels), `head` (channels, 2);
            each `.weight` with its `.bias`.
        licence: Terms of the weights and the corpora they were trained on.
        extra: Further metadata, serializable as JSON.
    """
    about: dict[str, Any] = {
        **(extra or {}),
        "format": FORMAT,
        "channels": shape.channels,
        "dilations": list(shape.dilations),
        "causal": shape.causal,
        "delay": shape.delay,
        "licence": licence,
    }
    halves: dict[str, Any] = {name: array.astype(np.float16) for name, array in weights.items()}
    np.savez_compressed(path, about=np.array(json.dumps(about)), **halves)


def _padded(x: _Array, reach: int, sides: tuple[float, float]) -> _Array:
    return np.pad(x, ((int(reach * sides[0]), int(reach * sides[1])), (0, 0)))


def _convolve(x: _Array, weight: _Array, bias: _Array, dilation: int) -> _Array:
    """Convolve without padding; x has shape (frames + (taps - 1) * dilation, inputs)."""
    taps = len(weight)
    frames = len(x) - (taps - 1) * dilation
    total = x[:frames] @ weight[0]
    for tap in range(1, taps):
        total += x[tap * dilation : tap * dilation + frames] @ weight[tap]
    return total + bias


def _sum(*terms: _Array) -> _Array:
    return sum(terms[1:], terms[0])


def _elu(x: _Array) -> _Array:
    negative = np.minimum(x, 0)
    np.exp(negative, out=negative)
    negative -= 1
    return np.maximum(x, negative, out=negative)
