"""SwiftF0 as a stream: a small network from the spectrogram of one voice to its pitch.

Nieradzik, "SwiftF0: Fast and Accurate Monophonic Pitch Detection", arXiv 2508.18440, 2025. `swift_f0.onnx` is
the model of the package swift-f0 0.3.0, unchanged (MIT; see `swift_f0.LICENSE`): 14,386 parameters, 46.9 to
2,093.8 Hz, a frame each 16 ms. The file lies here because the package requires onnxruntime beside
onnxruntime-gpu, which overwrite each other.

The published network looks 176 ms ahead. Here frames look 48 or 64 ms ahead, with silence in place of later
input: of two frames the first has its whole spectrum, the second all but the last quarter of its window. On
rendered horns that finds as many notes.
"""

from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.model.providers import CPU, open_session
from tatumflow.engine.note_tracking.pitch_frame import PitchFrame
from tatumflow.engine.note_tracking.tracker import Samples
from tatumflow.engine.separation.stft import hann

RATE: Final = 16_000
HOP: Final = 256

_BEFORE: Final = 6
_STEP: Final = 2
_AHEAD: Final = 2
"""Frames of a run: before those that it returns, those that it returns, and after them."""

_LOWEST_HZ: Final = 46.875
_HIGHEST_HZ: Final = 2093.75
_A4: Final = 69
_A4_HZ: Final = 440.0

_PEAK: Final = 0.3
"""Level to which the recent peak is raised: the network depends on level, and finds little below -35 dB."""

_HISS: Final = 0.01
"""Standard deviation of the noise added to the input: the network is less confident of a tone in digital
silence, by 0.2 to 0.5 for sines at half full scale or less."""

_QUIETEST_PEAK: Final = 0.02
_PEAK_HALF_LIFE: Final = 8.0
_LEAST_POWER: Final = 1e-12

_ATTACK_HOP: Final = 128
_ATTACK_WINDOW: Final = 512
_ATTACK_FLOOR: Final = 1e-3


class SwiftF0:
    """Frames of one voice."""

    def __init__(self) -> None:
        """Open the model.

        Raises:
            BundleError: if it cannot be run.
        """
        self._session = open_session(_model_file(), (CPU,), 1)
        self._range = {
            "fmin": np.asarray(_LOWEST_HZ, np.float32),
            "fmax": np.asarray(_HIGHEST_HZ, np.float32),
        }
        self._decay = 0.5 ** (_STEP * HOP / RATE / _PEAK_HALF_LIFE)
        size = (_BEFORE + _STEP + _AHEAD) * HOP
        self._hiss = np.random.default_rng(0).normal(0, _HISS, size).astype(np.float32)
        self._window = hann(_ATTACK_WINDOW) * np.float32(4 / _ATTACK_WINDOW)
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
        self._held = np.zeros(_BEFORE * HOP, dtype=np.float32)
        self._frames = 0
        self._peak = 0.0

    def push(self, samples: Samples) -> list[PitchFrame]:
        """Add samples at `RATE`, (n,), finite, within -1 and 1, and return the frames that they complete.

        The frames do not depend on the size of the blocks.
        """
        self._held = np.concatenate([self._held, samples], dtype=np.float32)
        frames: list[PitchFrame] = []
        size = (_BEFORE + _STEP + _AHEAD) * HOP
        while len(self._held) >= size:
            frames += self._run(self._held[:size])
            self._held = self._held[_STEP * HOP :]
        return frames

    def _run(self, window: Samples) -> list[PitchFrame]:
        peak = float(np.abs(window[-(_STEP + _AHEAD) * HOP :]).max())
        self._peak = max(self._peak * self._decay, peak)
        raised = window * np.float32(_PEAK / max(self._peak, _QUIETEST_PEAK))
        feed = {"audio": (raised + self._hiss)[None], **self._range}
        hertz, confidence = (
            np.asarray(values)[0, _BEFORE : _BEFORE + _STEP]
            for values in self._session.run(["pitch", "confidence"], feed)
        )
        pitch = _A4 + 12 * np.log2(hertz / _A4_HZ)
        around = window[(_BEFORE - 1) * HOP : (_BEFORE + _STEP) * HOP].reshape(-1, HOP)
        power = np.square(around, dtype=np.float64).mean(axis=1)
        level = 10 * np.log10(np.maximum((power[:-1] + power[1:]) / 2, _LEAST_POWER))
        frames = [
            PitchFrame((self._frames + i) * HOP / RATE, *values)
            for i, values in enumerate(
                zip(
                    pitch.tolist(),
                    confidence.tolist(),
                    level.tolist(),
                    self._attacks(raised).tolist(),
                    strict=True,
                )
            )
        ]
        self._frames += _STEP
        return frames

    def _attacks(self, samples: Samples) -> NDArray[np.float32]:
        """Return the attack of each frame: the stronger of two, at its middle and half a hop before it."""
        first = _BEFORE * HOP - 2 * _ATTACK_HOP - _ATTACK_WINDOW // 2
        last = first + (2 * _STEP + 1) * _ATTACK_HOP + _ATTACK_WINDOW
        windows = np.lib.stride_tricks.sliding_window_view(samples[first:last], _ATTACK_WINDOW)[::_ATTACK_HOP]
        spectra = np.log(np.abs(np.fft.rfft(windows * self._window)) + _ATTACK_FLOOR)
        growth = np.maximum(spectra[2:] - spectra[:-2], 0).mean(axis=1)
        return growth.reshape(_STEP, 2).max(axis=1)


def _model_file() -> Path:
    return Path(str(resources.files("tatumflow.engine.note_tracking") / "swift_f0.onnx"))
