"""The audio devices of a system, how one is chosen by name, and the settings of a stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError

Side = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A device as the system lists it.

    Attributes:
        number: In the list, counted from 0.
        name: Its name in the system.
        api: The audio system that reaches it, such as ALSA or JACK.
        inputs: Input channels.
        outputs: Output channels.
        rate: Its own frames a second.
        is_default_input: Whether it is the system's input where none is named.
        is_default_output: Whether it is the system's output where none is named.
    """

    number: int
    name: str
    api: str
    inputs: int
    outputs: int
    rate: int
    is_default_input: bool = False
    is_default_output: bool = False


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How a device is opened.

    Attributes:
        input: Device that is recorded from.
        output: Device that is played on; None for no output.
        rate: Frames a second.
        block: Frames of a block.
        inputs: Channels to open.
        outputs: Channels to open; 0 without an output.
    """

    input: AudioDevice
    output: AudioDevice | None
    rate: int
    block: int
    inputs: int
    outputs: int


class Process(Protocol):
    """Takes a block in the audio callback; may neither wait nor raise."""

    def __call__(
        self, recorded: NDArray[np.float32], played: NDArray[np.float32] | None, time: float, xrun: bool, /
    ) -> None:
        """Take a block.

        Args:
            recorded: Shape (n, inputs).
            played: Shape (n, outputs), to be filled; None without an output.
            time: When the first frame arrived, in seconds of `time.monotonic`.
            xrun: Whether frames were lost or lacking before it.
        """


class AudioStream(Protocol):
    """A stream that runs."""

    @property
    def active(self) -> bool:
        """Whether it still runs."""
        ...

    @property
    def device_seconds(self) -> float:
        """Seconds of delay that the device reports for its input and output, together."""
        ...

    def close(self) -> None:
        """End it."""


class AudioSystem(Protocol):
    """Lists devices and opens streams."""

    def devices(self) -> tuple[AudioDevice, ...]:
        """Return the devices there are now; not while a stream is open.

        Raises:
            DeviceError: if the system cannot be reached.
        """
        ...

    def takes(self, plan: StreamPlan) -> bool:
        """Return whether the devices can be opened so."""
        ...

    def open(self, plan: StreamPlan, process: Process) -> AudioStream:
        """Open and start a stream.

        Raises:
            DeviceError: if it cannot be opened.
        """
        ...

    def close(self) -> None:
        """Release everything; `devices` begins anew."""


def match_device(requested: str, devices: Sequence[AudioDevice], side: Side) -> AudioDevice:
    """Return the one device of this name.

    Args:
        requested: A whole name, a number of the list, or a part of name and audio system in any case; empty
            for the system's default. Where several audio systems reach a device of that name, that of the
            default is taken, else the first.
        devices: All there are.
        side: What it is for.

    Raises:
        DeviceError: if none or more than one fits, or it has no channels of that side.
    """
    able = [device for device in devices if _channels(device, side)]
    if not able:
        advice = "connect a microphone or an audio interface" if side == "input" else "connect loudspeakers"
        raise DeviceError(
            f"no audio {side}: there is no device; {advice}, or start a JACK or PipeWire server"
        )
    default = next((device for device in able if _is_default(device, side)), able[0])
    if not requested:
        return default
    if requested.isdecimal():
        for device in able:
            if device.number == int(requested):
                return device
        raise DeviceError(f"audio {side} {requested}: is no {side}; there is {_listed(able)}")
    whole = [device for device in able if device.name == requested]
    parts = whole or [
        device for device in able if requested.casefold() in f"{device.name} {device.api}".casefold()
    ]
    if len({device.name for device in parts}) == 1:
        return next((device for device in parts if device.api == default.api), parts[0])
    if parts:
        raise DeviceError(
            f"audio {side} {requested!r} fits {_listed(parts)}; give more of the name, or its number"
        )
    raise DeviceError(f"audio {side} {requested!r} does not exist; there is {_listed(able)}")


def _channels(device: AudioDevice, side: Side) -> int:
    return device.inputs if side == "input" else device.outputs


def _is_default(device: AudioDevice, side: Side) -> bool:
    return device.is_default_input if side == "input" else device.is_default_output


def _listed(devices: Sequence[AudioDevice]) -> str:
    return ", ".join(f"{device.number} {device.name!r} ({device.api})" for device in devices)
