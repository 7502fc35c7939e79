"""Proofs that the exported graphs do what the trained model does."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.decoder import Decoder, Floats, Ints
from tatumflow.engine.kv_cache import MASKED, MAX_STEPS
from tatumflow.engine.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.training.evaluate.bundle_nll import log_probabilities, stream_states
from tatumflow.training.export.errors import ExportError
from tatumflow.training.families.tatumflow.model import NUM_ROLES, TatumFlowDecoder, rotary_table

TOLERANCE = 1e-4
"""Greatest error of a value in float32, relative for values above 1."""

_WRAP = 1.25
"""Steps of the proof per cache row: the ring is written round once and a quarter."""


@dataclass(frozen=True)
class Proofs:
    """Greatest errors in float32; see `TOLERANCE` for their measure.

    Attributes:
        states: Graphs fed through the ring, against the module seeing all steps at once.
        logits: The heads' graphs against the module's heads.
        uncached: Graphs fed through the ring, against the module's training pass, within one window.
        prefill: One step a call against many.
    """

    states: float
    logits: float
    uncached: float
    prefill: float


@dataclass(frozen=True)
class Steps:
    """Random steps to prove with: fields (n, 4), role (n,), style ids (n,), target notes (n, 4)."""

    fields: Ints
    role: Ints
    style: Ints
    target: Ints


def random_steps(count: int, num_styles: int, seed: int = 0) -> Steps:
    """Draw steps evenly from everything the model can read."""
    rng = np.random.default_rng(seed)
    return Steps(
        fields=rng.integers(0, INPUT_SIZES, (count, len(FIELDS))),
        role=rng.integers(0, NUM_ROLES, count),
        style=rng.integers(0, num_styles, count),
        target=rng.integers(0, FIELD_SIZES, (count, len(FIELDS))),
    )


def _error(found: Floats, wanted: Floats) -> float:
    return float((np.abs(found - wanted) / np.maximum(np.abs(wanted), 1)).max())


def windowed_states(model: TatumFlowDecoder, steps: Steps, style: Floats, window: int) -> Floats:
    """Return the module's states (n, H), every step seeing itself and `window` steps before it, at once."""
    config, count = model.config, len(steps.fields)
    position = np.arange(count)
    behind = position[:, None] - position
    bias: NDArray[np.float32] = np.full((count, count + 1), MASKED, np.float32)
    bias[:, 1:][(behind >= 0) & (behind <= window)] = 0
    cos, sin = rotary_table(torch.from_numpy(position), config.head_dim, config.rope_base)
    past = torch.zeros(config.num_layers, config.num_kv_heads, 1, config.head_dim)
    states, _, _ = model.forward_cached(
        torch.from_numpy(steps.fields),
        torch.from_numpy(steps.role),
        torch.from_numpy(style),
        cos,
        sin,
        torch.from_numpy(bias),
        past,
        past,
    )
    return states.numpy()


@torch.inference_mode()
def prove(model: TatumFlowDecoder, decoder: Decoder) -> Proofs:
    """Hold a float32 decoder to the module it was exported from.

    Raises:
        ExportError: if an error exceeds `TOLERANCE`.
    """
    shape = decoder.shape
    steps = random_steps(int(_WRAP * shape.cache_rows), shape.num_styles)
    style = np.eye(shape.num_styles, dtype=np.float32)[steps.style]
    wanted = windowed_states(model, steps, style, shape.window)
    many = stream_states(decoder, steps.fields, steps.role, style, min(MAX_STEPS, shape.cache_rows))
    single = stream_states(decoder, steps.fields, steps.role, style, 1)
    first = [torch.from_numpy(part[None, : shape.window]) for part in (steps.fields, steps.role, steps.style)]
    uncached = model(*first)[0].numpy()
    target = torch.from_numpy(steps.target)
    heads = model.field_logits(torch.from_numpy(wanted), target)
    proofs = Proofs(
        states=_error(many, wanted),
        logits=max(
            _error(
                decoder.field_logits(field, wanted, np.ascontiguousarray(steps.target[:, :field])),
                logits.numpy(),
            )
            for field, logits in enumerate(heads)
        ),
        uncached=_error(single[: shape.window], uncached),
        prefill=_error(single, many),
    )
    for name in ("states", "logits", "uncached", "prefill"):
        error = getattr(proofs, name)
        if not error <= TOLERANCE:
            raise ExportError(f"{name}: the graphs differ from the model by {error:.2g}, above {TOLERANCE:g}")
    return proofs


def divergence(exact: Decoder, quantized: Decoder, count: int = 256) -> float:
    """Return how far the quantized decoder's note distribution lies from the exact one's, in nats a note.

    Mean Kullback-Leibler divergence over random steps, summed over the fields.
    """
    shape = exact.shape
    steps = random_steps(count, shape.num_styles, seed=1)
    style = np.eye(shape.num_styles, dtype=np.float32)[steps.style]
    states = [stream_states(one, steps.fields, steps.role, style) for one in (exact, quantized)]
    total = 0.0
    for field in range(len(FIELDS)):
        log_p, log_q = (
            log_probabilities(one, field, state, steps.target)
            for one, state in zip((exact, quantized), states, strict=True)
        )
        total += float((np.exp(log_p) * (log_p - log_q)).sum(axis=-1).mean())
    return total
