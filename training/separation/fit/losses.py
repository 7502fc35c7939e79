"""Losses of separation: errors of spectrograms and waveforms, by stem.

The error of a stem is divided by the stem's magnitude plus a tenth of the mixture's: a soft stem counts as
much as a loud one, as in decibels, and a silent stem still counts.

Shapes: b excerpts, s stems, n samples, f bins, t frames.
"""

from typing import Final

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.separation.signal import istft, stft

RESOLUTIONS: Final = (StftSettings(2048, 512), StftSettings(1024, 256), StftSettings(512, 128))
"""Windows of the multi-resolution error, of a fourth of which each hop is."""

_FLOOR: Final = 0.1
_SMALLEST: Final = 1e-5


class LossSettings(BaseModel):
    """Weights of the errors; those of weight 0 are not computed.

    Attributes:
        spectrogram: Of real and imaginary parts, absolute.
        waveform: Of samples, absolute.
        multi_resolution: Of magnitudes at three resolutions (Yamamoto et al., "Parallel WaveGAN", 2020,
            section 2.2). On a CPU it and the waveform's cost as much as a tiny model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spectrogram: float = Field(default=1.0, ge=0)
    waveform: float = Field(default=0.0, ge=0)
    multi_resolution: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _something_counts(self) -> "LossSettings":
        if not (self.spectrogram or self.waveform or self.multi_resolution):
            raise ValueError("every loss has weight 0; give one of them a weight above 0")
        return self


def separation_losses(
    spectra: Tensor, target: Tensor, parts: Tensor, settings: LossSettings, transform: StftSettings
) -> dict[str, Tensor]:
    """Return the weighted errors by name, each (s,), means over the excerpts.

    Args:
        spectra: The separated stems, (b, s, 2, f, t), complex.
        target: The true stems, (b, s, 2, f, t), complex.
        parts: The excerpts, (b, s + 1, 2, n).
        settings: The weights.
        transform: Window and hop of the spectra.
    """
    losses: dict[str, Tensor] = {}
    if settings.spectrogram:
        losses["spectrogram"] = settings.spectrogram * spectrogram_error(spectra, target).mean(dim=0)
    if settings.waveform or settings.multi_resolution:
        stems, mixture = parts[:, :-1], parts.sum(dim=1)
        found = istft(spectra, parts.shape[-1], transform)
        if settings.waveform:
            losses["waveform"] = settings.waveform * waveform_error(found, stems, mixture).mean(dim=0)
        if settings.multi_resolution:
            error = multi_resolution_error(found, stems, mixture).mean(dim=0)
            losses["multi_resolution"] = settings.multi_resolution * error
    return losses


def spectrogram_error(spectra: Tensor, target: Tensor) -> Tensor:
    """Return the absolute error of real and imaginary parts, (b, s, 2, f, t) complex both, by stem: (b, s).

    The mixture's magnitude is that of the stems' sum.
    """
    error, size = (
        torch.linalg.vector_norm(torch.view_as_real(x), ord=1, dim=(2, 3, 4, 5)) / (2 * x[0, 0].numel())
        for x in (spectra - target, target)
    )
    return error / (size + _FLOOR * size.sum(dim=1, keepdim=True) + _SMALLEST)


def waveform_error(found: Tensor, stems: Tensor, mixture: Tensor) -> Tensor:
    """Return the absolute error of samples, (b, s, 2, n) both, mixture (b, 2, n), by stem: (b, s)."""
    floor = _FLOOR * mixture.abs().mean(dim=(1, 2))[:, None]
    return (found - stems).abs().mean(dim=(2, 3)) / (stems.abs().mean(dim=(2, 3)) + floor + _SMALLEST)


def multi_resolution_error(found: Tensor, stems: Tensor, mixture: Tensor) -> Tensor:
    """Return the error of magnitudes, shapes as in `waveform_error`, by stem: (b, s).

    At each resolution it is the spectral convergence, the error's norm by that of the true magnitudes, and
    the mean absolute error of logarithms, which a floor keeps from counting silence.
    """
    errors: list[Tensor] = []
    for resolution in RESOLUTIONS:
        magnitudes, true = stft(found, resolution).abs(), stft(stems, resolution).abs()
        whole = stft(mixture, resolution).abs()
        size = true.square().sum(dim=(2, 3, 4)).sqrt()
        floor = _FLOOR * whole.square().sum(dim=(1, 2, 3)).sqrt()[:, None]
        convergence = (magnitudes - true).square().sum(dim=(2, 3, 4)).add(_SMALLEST**2).sqrt()
        least = _FLOOR * whole.mean(dim=(1, 2, 3))[:, None, None, None, None] + _SMALLEST
        logarithms = ((magnitudes + least).log() - (true + least).log()).abs().mean(dim=(2, 3, 4))
        errors.append(convergence / (size + floor + _SMALLEST) + logarithms)
    return torch.stack(errors).mean(dim=0)
