"""Basic Pitch as a stream: a network for onsets and activity of 88 keys.

Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription and multipitch
estimation", ICASSP 2022. `basic_pitch.onnx` is the model of the package basic-pitch 0.4.0, unchanged (Apache
2.0, Spotify AB; see `basic_pitch.LICENSE` and `basic_pitch.NOTICE`). The file lies here because the package
requires TensorFlow.

The network reads two seconds at once, and every step reads them all again: a third of a processor's time. A
frame has 46 ms of sound after it, or more; 162 ms find hardly more notes.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.model.providers import CPU, open_session
from tatumflow.engine.note_tracking.tracker import Samples

RATE: Final = 22_050
HOP: Final = 256
LOWEST_PITCH: Final = 21

_WINDOW: Final = 43_844
_FRAMES: Final = 172
_STEP: Final = 8
_AHEAD: Final = 4
"""Frames that a run returns, and frames after them."""

_INPUT: Final = "serving_default_input_2:0"
_NOTES: Final = "StatefulPartitionedCall:1"
_ONSETS: Final = "StatefulPartitionedCall:2"
_LEAST_POWER: Final = 1e-12


@dataclass(frozen=True)
class KeysFrame:
    """A frame of a polyphonic source.

    Attributes:
        time: Seconds since the start of the stream.
        begins: Likelihood of each key's onset, (88,) from A0, 0 to 1.
        sounds: Likelihood that each key sounds, (88,), 0 to 1.
        level: Root mean square of the signal, in decibels of full scale.
    """

    time: float
    begins: NDArray[np.float32]
    sounds: NDArray[np.float32]
    level: float


class BasicPitch:
    """Frames of a polyphonic source."""

    def __init__(self) -> None:
        """Open the model.

        Raises:
            BundleError: if it cannot be run.
        """
        self._session = open_session(_model_file(), (CPU,), 1)
        self.reset()

    @property
    def rate(self) -> int:
        """Sample rate of its input in hertz."""
        return RATE

    @property
    def latency(self) -> float:
        """Most seconds of input after a frame's time before the frame is returned."""
        return (_STEP + _AHEAD) * HOP / RATE

    def reset(self) -> None:
        """Forget the stream and begin another."""
        self._frames = 0
        self._held = np.zeros(_WINDOW - (_STEP + _AHEAD) * HOP, dtype=np.float32)

    def push(self, samples: Samples) -> list[KeysFrame]:
        """Add samples at `RATE`, (n,), finite, within -1 and 1, and return the frames that they complete."""
        self._held = np.concatenate([self._held, samples], dtype=np.float32)
        frames: list[KeysFrame] = []
        while len(self._held) >= _WINDOW:
            frames += self._run(self._held[:_WINDOW])
            self._held = self._held[_STEP * HOP :]
        return frames

    def _run(self, window: Samples) -> list[KeysFrame]:
        feed = {_INPUT: window[None, :, None]}
        sounds, begins = (np.asarray(v)[0] for v in self._session.run([_NOTES, _ONSETS], feed))
        first = _FRAMES - _STEP - _AHEAD
        frames: list[KeysFrame] = []
        for k in range(first, first + _STEP):
            around = window[(k - 1) * HOP : (k + 1) * HOP]
            power = max(float(np.square(around, dtype=np.float64).mean()), _LEAST_POWER)
            frames.append(
                KeysFrame(
                    self._frames * HOP / RATE, begins[k].copy(), sounds[k].copy(), 10 * float(np.log10(power))
                )
            )
            self._frames += 1
        return frames


def _model_file() -> Path:
    return Path(str(resources.files("tatumflow.engine.note_tracking") / "basic_pitch.onnx"))
