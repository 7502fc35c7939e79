"""Short-time Fourier transform and its inverse: of a whole signal, or piece by piece as it arrives.

A frame is centered: frame k spans the samples from k * hop - window / 2 to k * hop + window / 2, zeros where
there are none. The inverse adds the frames under the same Hann window and divides by the sum of its squares
(Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984), so that it is exact
for any length, the edges included, but for the rounding of float32.

That division multiplies the rounding, and whatever a model changed in a frame, by the sum of the windows over
the sum of their squares. Between the centers of two frames this is 2 or less. After the last center it is 2
or less too where the window is four hops or more; where it is two, the falling half of one window would be
alone there and the factor would reach (window / 2 pi)^2. Such a signal therefore has one more frame, centered
on its end or after it. Otherwise `torch.stft` with `center=True, pad_mode="constant"` computes the same.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError

Samples = NDArray[np.float32]
Spectrogram = NDArray[np.complex64]

_LEAST_ENVELOPE: Final = 1e-8


@dataclass(frozen=True)
class StftSettings:
    """Window and hop.

    Attributes:
        window: Samples of a frame, a multiple of twice the hop.
        hop: Samples from one frame to the next, at least 1.

    Raises:
        SettingError: if they do not fit each other.
    """

    window: int = 2048
    hop: int = 512

    def __post_init__(self) -> None:
        if self.hop < 1 or self.window < 1 or self.window % (2 * self.hop):
            raise SettingError(
                f"STFT window {self.window} is no multiple of twice the hop {self.hop}; give 2048 and 512"
            )

    @property
    def bins(self) -> int:
        """Frequencies of a frame, from 0 to half the sample rate."""
        return self.window // 2 + 1

    @property
    def latency(self) -> int:
        """Most samples of input after a sample before `StreamingIstft` returns it.

        Half a window until the frame centered on it is complete, and as much until its last frame is; the
        computing time comes on top.
        """
        return self.window

    def frames(self, length: int) -> int:
        """Return the number of frames of a signal of `length` samples."""
        return (length + self.missing(length)) // self.hop + 1

    def missing(self, length: int) -> int:
        """Return the zeros to add to a signal so that two frames or more cover its last samples.

        0 where the window is longer than two hops: the last frame before the end suffices then.
        """
        return -length % self.hop if self.window == 2 * self.hop else 0


@lru_cache(maxsize=8)
def hann(window: int) -> Samples:
    """Return the periodic Hann window, (window,) float32, read-only."""
    values = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    values.setflags(write=False)
    return values


def stft(samples: Samples, settings: StftSettings | None = None) -> Spectrogram:
    """Transform a signal, (..., n), n >= 0, into its spectrogram, (..., bins, frames) complex64."""
    settings = settings or StftSettings()
    half = settings.window // 2
    after = half + settings.missing(samples.shape[-1])
    around = [(0, 0)] * (samples.ndim - 1) + [(half, after)]
    return _frames(np.pad(np.asarray(samples, dtype=np.float32), around), settings)


def istft(spectrogram: Spectrogram, length: int, settings: StftSettings | None = None) -> Samples:
    """Return the signal, (..., length) float32, of a spectrogram, (..., bins, frames).

    The spectrogram has at least `settings.frames(length)` frames.
    """
    settings = settings or StftSettings()
    shape = spectrogram.shape[:-2]
    flat = spectrogram.reshape(-1, *spectrogram.shape[-2:])
    synthesis = StreamingIstft(len(flat), settings)
    samples = np.concatenate([synthesis.push(flat), synthesis.finish()], axis=-1)
    return samples[:, :length].reshape(*shape, length)


class StreamingStft:
    """Transforms a signal in pieces of any size into the frames of `stft`."""

    def __init__(self, channels: int, settings: StftSettings | None = None) -> None:
        """Begin before the first sample of `channels` signals."""
        self.settings = settings or StftSettings()
        self._waiting = np.zeros((channels, self.settings.window // 2), dtype=np.float32)

    def push(self, samples: Samples) -> Spectrogram:
        """Add samples, (channels, n), and return the frames that they complete, (channels, bins, frames).

        Frame k is complete with sample k * hop + window / 2 - 1. Either number may be 0.
        """
        held = np.concatenate([self._waiting, samples], axis=-1, dtype=np.float32)
        frames = _frames(held, self.settings)
        self._waiting = held[:, frames.shape[-1] * self.settings.hop :]
        return frames

    def finish(self) -> Spectrogram:
        """Return the frames that the end of the signal completes, shape (channels, bins, frames)."""
        half = self.settings.window // 2
        # Frames remove whole hops, so that the remainder of the length by the hop is that of the rest.
        after = half + self.settings.missing(self._waiting.shape[-1] - half)
        return self.push(np.zeros((len(self._waiting), after), dtype=np.float32))


class StreamingIstft:
    """Transforms frames in pieces of any size into the samples of `istft`."""

    def __init__(self, channels: int, settings: StftSettings | None = None) -> None:
        """Begin before the first frame of `channels` signals."""
        self.settings = settings or StftSettings()
        overlap = self.settings.window - self.settings.hop
        self._sum = np.zeros((channels, overlap), dtype=np.float32)
        self._envelope = np.zeros(overlap, dtype=np.float32)
        self._ahead = self.settings.window // 2
        """Samples before the signal's first that are still to be dropped."""

    def push(self, frames: Spectrogram) -> Samples:
        """Add frames, (channels, bins, frames), and return the samples that are complete, (channels, n).

        After frame k these are the samples before (k + 1) * hop - window / 2. Either number may be 0.
        """
        window, hop = self.settings.window, self.settings.hop
        count = frames.shape[-1]
        if not count:
            return self._sum[:, :0]
        # NumPy before 2.0 transforms in double precision.
        inverse = np.fft.irfft(frames.swapaxes(-1, -2), window).astype(np.float32, copy=False)
        shaped = inverse * hann(window)
        done = count * hop
        total = np.pad(self._sum, [(0, 0), (0, done)])
        envelope = np.pad(self._envelope, (0, done))
        squares = np.square(hann(window))
        # The same hop of all frames is contiguous, so that a few sums add all frames.
        for part in range(window // hop):
            inside, place = slice(part * hop, (part + 1) * hop), slice(part * hop, part * hop + done)
            total[:, place] += shaped[:, :, inside].reshape(len(total), done)
            envelope[place] += np.tile(squares[inside], count)
        samples = _divided(total[:, :done], envelope[:done])
        self._sum, self._envelope = total[:, done:], envelope[done:]
        return self._inside(samples)

    def finish(self) -> Samples:
        """Return the remaining samples, the last half window included; (channels, n)."""
        return self._inside(_divided(self._sum, self._envelope))

    def _inside(self, samples: Samples) -> Samples:
        """Drop the samples before the signal's first."""
        left_out = min(self._ahead, samples.shape[-1])
        self._ahead -= left_out
        return samples[:, left_out:]


def _divided(total: Samples, envelope: Samples) -> Samples:
    return np.divide(total, np.maximum(envelope, _LEAST_ENVELOPE), dtype=np.float32)


def _frames(padded: Samples, settings: StftSettings) -> Spectrogram:
    """Return the frames that fit in a signal, the first from its first sample on."""
    if padded.shape[-1] < settings.window:
        return np.zeros((*padded.shape[:-1], settings.bins, 0), dtype=np.complex64)
    windows = np.lib.stride_tricks.sliding_window_view(padded, settings.window, axis=-1)
    shaped = windows[..., :: settings.hop, :] * hann(settings.window)
    return np.fft.rfft(shaped).astype(np.complex64, copy=False).swapaxes(-1, -2)
