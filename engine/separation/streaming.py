"""Streaming separation: from samples to spectra, through a model, to the samples of the stems."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.separation.stems import StemSet
from tatumflow.engine.separation.stft import Samples, StftSettings, StreamingIstft, StreamingStft

Planes = NDArray[np.float32]
"""Real parts of all c channels, then their imaginary parts, (2 c, bins, frames)."""

_SIDES = 2


class BlockModel(Protocol):
    """A separator of a stream of spectra, block by block, with a state."""

    @property
    def stems(self) -> StemSet:
        """The stems that it separates a mixture into."""
        ...

    @property
    def rate(self) -> int:
        """Sample rate of its input in hertz."""
        ...

    @property
    def transform(self) -> StftSettings:
        """Window and hop of its spectra."""
        ...

    @property
    def block(self) -> int:
        """Frames of a block."""
        ...

    @property
    def most(self) -> int:
        """Most blocks of one call."""
        ...

    def reset(self) -> None:
        """Forget the stream."""

    def separate(self, planes: Planes) -> Planes:
        """Separate the next planes of a stereo mixture into those of s stems, (4 s, bins, frames).

        Args:
            planes: Shape (4, bins, frames), frames a multiple of the block, at most `most` blocks.
        """
        ...


class StreamingSeparator:
    """Separates stereo samples in pieces of any size into those of the stems.

    The only delay is that of the transform and the block: the samples of a block's frames are returned as
    soon as the block is complete.
    """

    def __init__(self, model: BlockModel) -> None:
        """Begin before the first sample; the model's state is reset."""
        self._model = model
        self.begin()

    @property
    def latency(self) -> int:
        """Most samples of input after a sample before its stems are returned."""
        transform = self._model.transform
        return transform.latency + (self._model.block - 1) * transform.hop

    def begin(self) -> None:
        """Forget the stream and begin another."""
        transform = self._model.transform
        self._analysis = StreamingStft(_SIDES, transform)
        self._synthesis = StreamingIstft(_SIDES * len(self._model.stems), transform)
        self._waiting = np.zeros((_SIDES, transform.bins, 0), dtype=np.complex64)
        self._left = 0
        """Samples added and not returned yet."""
        self._model.reset()

    def push(self, samples: Samples) -> Samples:
        """Add samples, (2, n), n >= 0, and return the stems of those that are ready, (s, 2, m), m >= 0."""
        self._left += samples.shape[-1]
        self._waiting = np.concatenate([self._waiting, self._analysis.push(samples)], axis=-1)
        found = self._separated(self._waiting.shape[-1] // self._model.block * self._model.block)
        self._left -= found.shape[-1]
        return found

    def finish(self) -> Samples:
        """Return the remaining samples, in all as many as were added; (s, 2, m)."""
        self._waiting = np.concatenate([self._waiting, self._analysis.finish()], axis=-1)
        frames = self._waiting.shape[-1]
        missing = -frames % self._model.block
        self._waiting = np.pad(self._waiting, [(0, 0), (0, 0), (0, missing)])
        last = self._separated(frames + missing, frames)
        return np.concatenate([last, self._stems(self._synthesis.finish())], axis=-1)[..., : self._left]

    def _separated(self, frames: int, used: int | None = None) -> Samples:
        """Separate the first waiting frames, and return the samples of the used ones."""
        now, self._waiting = self._waiting[..., :frames], self._waiting[..., frames:]
        step = self._model.most * self._model.block
        spectra = [self._spectra(now[..., first : first + step]) for first in range(0, now.shape[-1], step)]
        if not spectra:
            return self._stems(self._synthesis.push(self._none()))
        return self._stems(self._synthesis.push(np.concatenate(spectra, axis=-1)[..., :used]))

    def _spectra(self, mixture: NDArray[np.complex64]) -> NDArray[np.complex64]:
        planes = self._model.separate(np.concatenate([mixture.real, mixture.imag]))
        half = len(planes) // 2
        spectra = np.empty((half, *planes.shape[1:]), dtype=np.complex64)
        spectra.real, spectra.imag = planes[:half], planes[half:]
        return spectra

    def _none(self) -> NDArray[np.complex64]:
        channels = _SIDES * len(self._model.stems)
        return np.zeros((channels, self._model.transform.bins, 0), dtype=np.complex64)

    def _stems(self, samples: Samples) -> Samples:
        return samples.reshape(len(self._model.stems), _SIDES, samples.shape[-1])
