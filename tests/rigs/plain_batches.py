"""Batches of steps without chords, phrases or scored fields, for tests of the models."""

import torch
from torch import Tensor

from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.tokens import TICK_SECONDS
from tatumflow.engine.theory.features import NUM_FEATURES
from tatumflow.training.data.batches import Batch


def plain_batch(fields: Tensor, role: Tensor, style: Tensor, target: Tensor | None = None) -> Batch:
    """Return a batch of steps alone: nothing scored, no chords, no phrases.

    Args:
        fields: (B, T, 4) int64.
        role: (B, T) int64.
        style: (B, T) int64.
        target: (B, T, 4) int64; zeros when not given.
    """
    none = torch.zeros_like(role)
    metre = torch.tensor(NO_METRE).expand(*role.shape, len(NO_METRE))
    return Batch(
        fields,
        role,
        style,
        torch.zeros_like(fields) if target is None else target,
        torch.zeros_like(fields, dtype=torch.bool),
        none - 1,
        none,
        none,
        metre,
        metre,
        torch.full(role.shape, TICK_SECONDS),
        none - 1,
        torch.full((len(role), 1, 1), -1),
        torch.full((len(role), 1), -1),
        torch.zeros(len(role), 1, NUM_FEATURES),
        torch.zeros(len(role), 1, dtype=torch.int64),
    )
