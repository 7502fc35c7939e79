"""Interpolation of latents."""

from enum import StrEnum
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats

_PARALLEL: Final = 1e-4


class LatentPath(StrEnum):
    """The way from one latent to another."""

    SLERP = "slerp"
    LINEAR = "linear"


def interpolated(start: Floats, end: Floats, share: float, path: LatentPath = LatentPath.SLERP) -> Floats:
    """Return latents a share of the way from `start` to `end`, all (n, d).

    A straight way passes nearer to the origin than latents of the prior lie; on the spherical one (White
    2016, "Sampling Generative Networks") the length goes evenly from one to the other.
    """
    if path is LatentPath.LINEAR:
        return (start + share * (end - start)).astype(np.float32)
    begin, finish = np.linalg.norm(start, axis=-1), np.linalg.norm(end, axis=-1)
    cosine = (start * end).sum(axis=-1) / np.maximum(begin * finish, 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))[:, None]
    sine = np.maximum(np.sin(angle), 1e-12)
    around = np.sin((1 - share) * angle) / sine * _unit(start) + np.sin(share * angle) / sine * _unit(end)
    straight = (1 - share) * _unit(start) + share * _unit(end)
    direction = np.where(np.sin(angle) > _PARALLEL, around, straight)
    length = begin + share * (finish - begin)
    return (length[:, None] * direction).astype(np.float32)


def _unit(latents: Floats) -> Floats:
    length = np.linalg.norm(latents, axis=-1, keepdims=True)
    return (latents / np.maximum(length, 1e-12)).astype(np.float32)
