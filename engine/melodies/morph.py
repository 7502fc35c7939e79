"""Morphing of melodies: from one to another, or along attributes such as players."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.melodies.bundle import MelodyBundle
from tatumflow.engine.melodies.features import distance
from tatumflow.engine.melodies.interpolation import LatentPath, interpolated
from tatumflow.engine.melodies.melody import Melody
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel


@dataclass(frozen=True)
class MorphStep:
    """Decoded melodies at one place of the way.

    Attributes:
        share: Place of the way, 0 to 1; along attributes, the strength.
        melodies: The decoded melodies.
        from_start: Their mean distance from the first ones, as `features.distance`.
        from_end: Their mean distance from the last ones; None along attributes.
    """

    share: float
    melodies: tuple[Melody, ...]
    from_start: float
    from_end: float | None = None


@dataclass(frozen=True)
class Sampling:
    """How latents are decoded.

    Attributes:
        temperature: Randomness of the decoded events; 0 takes the likeliest.
        seed: Seed of the random generator, the same for every step of the way.
    """

    temperature: float = 0.0
    seed: int = 0


def interpolate_melodies(
    model: OnnxMelodyModel,
    start: Sequence[Melody],
    end: Sequence[Melody],
    steps: int,
    path: LatentPath = LatentPath.SLERP,
    sampling: Sampling = Sampling(),
) -> list[MorphStep]:
    """Decode places evenly spread over the way from melodies to as many others, both ends included.

    Args:
        model: The model.
        start: The first melodies, of the model's length.
        end: The last ones, as many.
        steps: Number of places, 2 or more.
        path: The way.
        sampling: How latents are decoded.
    """
    before, after = model.encode(start).mean, model.encode(end).mean
    found = []
    for share in np.linspace(0, 1, steps).tolist():
        melodies = _decoded(model, interpolated(before, after, share, path), sampling)
        found.append(MorphStep(share, melodies, mean_distance(melodies, start), mean_distance(melodies, end)))
    return found


def move_melodies(
    model: OnnxMelodyModel,
    bundle: MelodyBundle,
    melodies: Sequence[Melody],
    added: Sequence[str],
    removed: Sequence[str],
    strengths: Sequence[float],
    sampling: Sampling = Sampling(),
) -> list[MorphStep]:
    """Decode melodies moved along attributes, once for each strength; see `MelodyBundle.moved`.

    Raises:
        SettingError: if the model lacks an attribute.
    """
    latents = model.encode(melodies).mean
    found = []
    for strength in strengths:
        moved = _decoded(model, bundle.moved(latents, added, removed, strength), sampling)
        found.append(MorphStep(strength, moved, mean_distance(moved, melodies)))
    return found


def mean_distance(melodies: Sequence[Melody], others: Sequence[Melody]) -> float:
    """Return the mean distance of melodies from as many others of the same length."""
    pair = (np.stack([melody.array for melody in side]) for side in (melodies, others))
    return float(distance(*pair).mean())


def mean_shares(bundle: MelodyBundle, melodies: Sequence[Melody]) -> dict[str, float]:
    """Return the mean probability of each player over melodies; empty for a model without classifier."""
    shares = bundle.manifest.shares
    if shares is None:
        return {}
    rows = [shares.of(melody) for melody in melodies]
    return {player: float(np.mean([row[player] for row in rows])) for player in shares.players}


def _decoded(model: OnnxMelodyModel, latents: Floats, sampling: Sampling) -> tuple[Melody, ...]:
    rng = np.random.default_rng(sampling.seed)
    return tuple(model.decode(latents, sampling.temperature, rng))
