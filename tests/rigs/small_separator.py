"""A small separator with random weights."""

from typing import Any

import torch

from tatumflow.training.models.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.models.tfswa_unet.model import TfswaUnet


def small_separator(settings: dict[str, Any]) -> TfswaUnet:
    """Return a model for evaluation, the same each time; every weight differs from where it begins."""
    torch.manual_seed(0)
    built = TfswaUnet(TfswaUnetConfig.model_validate(settings))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return built.eval()
