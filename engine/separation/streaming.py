"""Taking a signal apart as it arrives: from samples to spectra, through a model, to the stems' samples."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.separation.stems import StemSet
from tatumflow.engine.separation.stft import Samples, StftSettings, StreamingIstft, StreamingStft

Planes = NDArray[np.float32]
"""Real parts of all channels and then their imaginary parts, (2 c, bins, frames)."""

_SIDES = 2


class BlockModel(Protocol):
    """A model that takes a stream of spectra apart, block by block, and remembers what it needs."""

    @property
    def stems(self) -> StemSet:
        """What it takes a mixture apart into."""
        ...

    @property
    def rate(self) -> int:
        """Samples a second of what it hears."""
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
        """Blocks that it takes in one call, at most."""
        ...

    def reset(self) -> None:
        """Forget the stream."""
        ...

    def separate(self, planes: Planes) -> Planes:
        """Return the next planes of the stems, (4 s, bins, frames), of those of a mixture in stereo.

        Args:
            planes: Shape (4, bins, frames), frames a multiple of the block, at most `most` blocks.
        """
        ...


class StreamingSeparator:
    """Takes stereo samples in pieces of any size and returns those of the stems.

    Nothing but the model's own delays it: the samples of a block's frames come out as soon as the block is
    whole.
    """

    def __init__(self, model: BlockModel) -> None:
        """Begin before the first sample; the model forgets what it heard."""
        self._model = model
        self.begin()

    @property
    def latency(self) -> int:
        """Samples that must have arrived after a sample, at most, before its stems come out."""
        transform = self._model.transform
        return transform.latency + (self._model.block - 1) * transform.hop

    def begin(self) -> None:
        """Forget the stream and begin another."""
        transform = self._model.transform
        self._analysis = StreamingStft(_SIDES, transform)
        self._synthesis = StreamingIstft(_SIDES * len(self._model.stems), transform)
        self._waiting = np.zeros((_SIDES, transform.bins, 0), dtype=np.complex64)
        self._left = 0
        """Samples taken that have not come out yet."""
        self._model.reset()

    def push(self, samples: Samples) -> Samples:
        """Take samples and return what has become of those that are ready.

        Args:
            samples: Shape (2, n), n >= 0.

        Returns:
            Shape (s, 2, m), m >= 0.
        """
        self._left += samples.shape[-1]
        self._waiting = np.concatenate([self._waiting, self._analysis.push(samples)], axis=-1)
        found = self._separated(self._waiting.shape[-1] // self._model.block * self._model.block)
        self._left -= found.shape[-1]
        return found

    def finish(self) -> Samples:
        """Return the samples that are left, as many together as were taken; (s, 2, m)."""
        self._waiting = np.concatenate([self._waiting, self._analysis.finish()], axis=-1)
        frames = self._waiting.shape[-1]
        missing = -frames % self._model.block
        self._waiting = np.pad(self._waiting, [(0, 0), (0, 0), (0, missing)])
        last = self._separated(frames + missing, frames)
        return np.concatenate([last, self._stems(self._synthesis.finish())], axis=-1)[..., : self._left]

    def _separated(self, frames: int, used: int | None = None) -> Samples:
        """Separate the first frames that wait, and turn those that are used to samples."""
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
