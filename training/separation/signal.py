"""Input and output of a separation model: spectrograms as planes of real and imaginary parts.

Shapes, for b excerpts of s stems in stereo, f bins and t frames:

- waveforms of a mixture: (b, 2, n), left and right; of stems: (b, s, 2, n);
- spectrograms: the same with (f, t) in place of n, complex;
- stems in stereo pairs, two channels a stem: (b, 2 s, f, t); channel 2 k is the left of stem k, 2 k + 1 its
  right. Masks of a model have this shape too;
- planes: (b, 2 c, f, t) for c channels; first the real parts of all channels, then their imaginary parts. A
  mixture is 4 planes: left and right real, left and right imaginary; s stems are 4 s.
"""

import torch
from torch import Tensor
from torch.nn import functional

from tatumflow.engine.separation.normalizer import exponent_of
from tatumflow.engine.separation.stft import StftSettings


def stft(samples: Tensor, settings: StftSettings | None = None) -> Tensor:
    """Transform waveforms (..., n), n >= 1, into (..., f, t) complex; what the engine's `stft` computes."""
    settings = settings or StftSettings()
    whole = functional.pad(samples, (0, settings.missing(samples.shape[-1])))
    spectra = torch.stft(
        whole.reshape(-1, whole.shape[-1]),
        settings.window,
        settings.hop,
        window=_window(settings, samples),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    return spectra.reshape(*samples.shape[:-1], *spectra.shape[-2:])


def istft(spectrogram: Tensor, length: int, settings: StftSettings | None = None) -> Tensor:
    """Return the waveforms (..., length) of spectrograms (..., f, t)."""
    settings = settings or StftSettings()
    samples = torch.istft(
        spectrogram.reshape(-1, *spectrogram.shape[-2:]),
        settings.window,
        settings.hop,
        window=_window(settings, spectrogram.real),
        center=True,
        length=length,
    )
    return samples.reshape(*spectrogram.shape[:-2], length)


def to_planes(spectrogram: Tensor) -> Tensor:
    """Return a spectrogram, (b, c, f, t) complex, as planes, (b, 2 c, f, t).

    Frames stay contiguous in memory, in the order of the transform.
    """
    frames = spectrogram.transpose(-1, -2)
    return torch.cat([frames.real, frames.imag], dim=1).transpose(-1, -2)


def from_planes(planes: Tensor) -> Tensor:
    """Return planes, (b, 2 c, f, t), as a spectrogram, (b, c, f, t) complex."""
    real, imaginary = planes.chunk(2, dim=1)
    return torch.complex(real, imaginary)


def scales(mixture: Tensor) -> Tensor:
    """Return the scale of the engine's `Normalizer` for each mixture (b, 2, n), (b,).

    Scales are powers of two: dividing by them and multiplying again changes no bit.
    """
    powers = mixture.double().square().mean(dim=(1, 2)).tolist()
    exponents = torch.tensor([exponent_of(power) for power in powers], device=mixture.device)
    return torch.exp2(exponents.to(mixture.dtype))


def _window(settings: StftSettings, like: Tensor) -> Tensor:
    return torch.hann_window(settings.window, dtype=like.dtype, device=like.device)
