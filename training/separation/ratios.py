"""Signal-to-distortion ratios in decibels, cheap enough for training curves; results use museval."""

import torch
from torch import Tensor

_SMALLEST = 1e-12


def si_sdr(found: Tensor, true: Tensor) -> Tensor:
    """Return the scale-invariant ratio (Le Roux et al., "SDR - half-baked or well done?", 2019), (...,).

    Of separated and true signals, (..., c, n), whose channels count as one signal; NaN where the true one is
    silent.
    """
    found, true = found.flatten(-2).float(), true.flatten(-2).float()
    power = true.square().sum(dim=-1)
    scale = (found * true).sum(dim=-1) / power.clamp(min=_SMALLEST)
    target = scale[..., None] * true
    return _decibels(target.square().sum(dim=-1), (found - target).square().sum(dim=-1), power)


def sdr(found: Tensor, true: Tensor) -> Tensor:
    """Return the ratio of the true signal to the error; shapes as in `si_sdr`."""
    found, true = found.flatten(-2).float(), true.flatten(-2).float()
    power = true.square().sum(dim=-1)
    return _decibels(power, (found - true).square().sum(dim=-1), power)


def _decibels(signal: Tensor, error: Tensor, power: Tensor) -> Tensor:
    ratio = 10 * ((signal + _SMALLEST).log10() - (error + _SMALLEST).log10())
    return torch.where(power > _SMALLEST * 1e3, ratio, torch.nan)
