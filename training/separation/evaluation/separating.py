"""Separation of whole recordings by a trained model, offline and as a stream."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tatumflow.engine.separation.normalizer import Normalizer
from tatumflow.engine.separation.stems import StemSet
from tatumflow.engine.separation.stft import Samples, StftSettings
from tatumflow.engine.separation.streaming import BlockModel, StreamingSeparator
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.signal import from_planes, istft, stft, to_planes

_CALL_SECONDS: Final = 30.0
"""Seconds of a call of a causal model on a whole recording; limited by memory."""

_SECONDS: Final = 12.0
_OVERLAP: Final = 0.25


class TorchBlockModel:
    """A causal model as the engine's `BlockModel`."""

    def __init__(self, model: TfswaUnet, most: int = 1) -> None:
        """Wrap a model in evaluation mode; `most` limits the blocks of a call.

        Raises:
            SettingError: if it is not causal.
        """
        self._model = model
        self._beginning = model.beginning()
        self._past = self._beginning
        self.most = most

    @property
    def stems(self) -> StemSet:
        """The stems."""
        return self._model.config.stem_set

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._model.config.rate

    @property
    def transform(self) -> StftSettings:
        """Window and hop."""
        return self._model.config.stft

    @property
    def block(self) -> int:
        """Frames of a block."""
        return self._model.config.block

    def reset(self) -> None:
        """Forget the stream."""
        self._past = self._beginning

    @torch.inference_mode()
    def separate(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next planes of the stems; see `BlockModel`."""
        found, self._past = self._model.step(torch.from_numpy(planes)[None], self._past)
        return found[0].numpy()


def separate_stream(model: TfswaUnet, mixture: Samples, piece: int = 1 << 16) -> Samples:
    """Separate a mixture (2, n) into stems (s, 2, n) as a stream of pieces, with a causal model."""
    return stream_through(TorchBlockModel(model), mixture, piece)


def stream_through(model: BlockModel, mixture: Samples, piece: int = 1 << 16) -> Samples:
    """Separate a recording with any block model; see `separate_stream`."""
    separator = StreamingSeparator(model)
    found = [
        separator.push(mixture[:, start : start + piece]) for start in range(0, mixture.shape[-1], piece)
    ]
    return np.concatenate([*found, separator.finish()], axis=-1)


@torch.inference_mode()
def separate_whole(model: TfswaUnet, mixture: Samples, seconds: float = _SECONDS) -> Samples:
    """Separate a whole recording offline.

    A model that looks ahead reads excerpts at the normalizer's level that overlap by a fourth, cross-faded; a
    causal one reads as many frames at once as memory allows.

    Args:
        model: In evaluation mode.
        mixture: Shape (2, n).
        seconds: Length of an excerpt.

    Returns:
        Shape (s, 2, n).
    """
    if model.config.causal:
        config = model.config
        piece = round(_CALL_SECONDS * config.rate)
        return stream_through(
            TorchBlockModel(model, piece // (config.hop * config.block) + 1), mixture, piece
        )
    normalizer = Normalizer.of(mixture)
    samples = torch.from_numpy(normalizer.normalize(mixture))
    length = min(round(seconds * model.config.rate), max(samples.shape[-1], 1))
    overlap = round(length * _OVERLAP)
    total = torch.zeros(model.stems, *samples.shape)
    weight = torch.zeros(samples.shape[-1])
    rise = torch.linspace(0, 1, overlap + 2)[1:-1]
    for start in range(0, max(samples.shape[-1] - overlap, 1), length - overlap):
        excerpt = samples[:, start : start + length]
        fade = torch.ones(excerpt.shape[-1])
        fade[:overlap] *= rise[: len(fade)]
        fade[len(fade) - overlap :] *= rise.flip(0)[-len(fade) :]
        place = slice(start, start + excerpt.shape[-1])
        total[..., place] += fade * _separated(model, excerpt)
        weight[place] += fade
    return normalizer.denormalize((total / weight.clamp(min=1e-6)).numpy())


def _separated(model: TfswaUnet, samples: Tensor) -> Tensor:
    transform = model.config.stft
    planes = model(to_planes(stft(samples[None], transform)))
    return istft(from_planes(planes), samples.shape[-1], transform)[0].unflatten(0, (-1, 2))
