"""A recording that plays in a loop into JACK, in place of a microphone."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError

CLIENT: Final = "Soak sound"
"""Name under which audio devices list it."""

_CHANNELS: Final = 2


def read_sound(path: Path, rate: int) -> NDArray[np.float32]:
    """Return a file's sound at a rate, (2, n); one channel is heard on both sides.

    Raises:
        DeviceError: if it cannot be read, or holds nothing.
    """
    try:
        sound, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError):
        raise DeviceError(f"{path}: cannot be read as sound; give another file") from None
    if not len(sound):
        raise DeviceError(f"{path}: holds no sound; give another file")
    stereo = sound[:, [0, min(1, sound.shape[1] - 1)]]
    return np.ascontiguousarray(soxr.resample(stereo, own_rate, rate).T, dtype=np.float32)


@contextmanager
def playing(path: Path) -> Iterator[None]:
    """Play a sound file in a loop until the block ends.

    Raises:
        DeviceError: if the file cannot be read, or the package JACK-Client is missing.
    """
    try:
        jack: Any = import_module("jack")
    except ImportError:
        raise DeviceError("a soak with ears needs JACK-Client; `pip install JACK-Client`") from None
    client = jack.Client(CLIENT, no_start_server=True)
    try:
        sound = read_sound(path, client.samplerate)
        ports = [client.outports.register(f"out_{channel + 1}") for channel in range(_CHANNELS)]
        at = 0

        def process(count: int) -> None:
            nonlocal at
            frames = np.arange(at, at + count)
            for channel, port in enumerate(ports):
                port.get_array()[:] = sound[channel].take(frames, mode="wrap")
            at = (at + count) % sound.shape[1]

        client.set_process_callback(process)
        client.activate()
        yield
        client.deactivate()
    finally:
        client.close()
