"""Parity of the exported graphs with the trained model."""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.harmony.chords import NUM_CHORDS
from tatumflow.engine.model.decoder import Decoder, DecoderShape
from tatumflow.engine.model.kv_cache import MASKED, MAX_STEPS
from tatumflow.engine.model.metre import METRE_SIZES
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.tokens import ABSENT, FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS
from tatumflow.training.evaluate.likelihood.bundle_nll import Steps, log_probabilities, stream_states
from tatumflow.training.export.errors import ExportError
from tatumflow.training.models.tatumflow.decoder import NUM_ROLES, TatumFlowDecoder
from tatumflow.training.models.tatumflow.layers import rotary_table
from tatumflow.training.models.tatumflow.model import TatumFlow

TOLERANCE = 1e-4
"""Greatest error of a value in float32, relative for values above 1."""

_WRAP = 1.25
"""Steps of the check per cache row: the ring is written one and a quarter times."""


@dataclass(frozen=True)
class ParityErrors:
    """Greatest errors in float32; see `TOLERANCE` for their measure.

    Attributes:
        states: Graphs run through the ring, against the module on all steps at once.
        logits: The heads' graphs against the module's heads.
        uncached: Graphs run through the ring, against the module's training pass, within one window.
        prefill: One step a call against many.
        encoder: The encoder's graph against the module, phrases of many lengths, padded in the module alone.
        theory: The theory encoder's graph against the module.
        flow: The flow's graph against the module.
    """

    states: float
    logits: float
    uncached: float
    prefill: float
    encoder: float
    theory: float
    flow: float


class RandomSteps(NamedTuple):
    """Random steps for the check: decoder inputs, style ids (n,), target notes (n, 4), chords (n,)."""

    steps: Steps
    style: Ints
    target: Ints
    next_chord: Ints


def random_steps(shape: DecoderShape, count: int, seed: int = 0) -> RandomSteps:
    """Draw steps evenly from all inputs of the model."""
    rng = np.random.default_rng(seed)
    style = rng.integers(0, shape.num_styles, count)
    steps = Steps(
        fields=rng.integers(0, INPUT_SIZES, (count, len(FIELDS))),
        role=rng.integers(0, NUM_ROLES, count),
        style=np.eye(shape.num_styles, dtype=np.float32)[style],
        chord=rng.integers(0, NUM_CHORDS, count),
        metre=rng.integers(0, METRE_SIZES, (count, len(METRE_SIZES))),
        phrase=rng.standard_normal((count, shape.phrase_dim)).astype(np.float32),
    )
    target = rng.integers(0, FIELD_SIZES, (count, len(FIELDS)))
    return RandomSteps(steps, style, target, rng.integers(0, NUM_CHORDS, count))


def _error(found: Floats, expected: Floats) -> float:
    return float((np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max())


def windowed_states(model: TatumFlowDecoder, steps: Steps, window: int) -> Floats:
    """Return the module's states (n, H), every step attending to itself and `window` steps before it."""
    config, count = model.config, len(steps.fields)
    position = np.arange(count)
    behind = position[:, None] - position
    mask: NDArray[np.float32] = np.full((count, count + 1), MASKED, np.float32)
    mask[:, 1:][(behind >= 0) & (behind <= window)] = 0
    cos, sin = rotary_table(torch.from_numpy(position), config.head_dim, config.rope_base)
    past = torch.zeros(config.num_layers, config.num_kv_heads, 1, config.head_dim)
    states, _, _ = model.forward_cached(
        torch.from_numpy(steps.fields),
        torch.from_numpy(steps.role),
        torch.from_numpy(steps.style),
        torch.from_numpy(steps.chord),
        torch.from_numpy(steps.metre),
        torch.from_numpy(steps.phrase),
        cos,
        sin,
        torch.from_numpy(mask),
        past,
        past,
    )
    return states.numpy()


@torch.inference_mode()
def check_parity(model: TatumFlow, decoder: Decoder, phrases: PhraseModel) -> ParityErrors:
    """Return the errors of float32 graphs against the module that they were exported from.

    Raises:
        ExportError: if an error exceeds `TOLERANCE`.
    """
    shape = decoder.shape
    steps, style, target, chord = random_steps(shape, int(_WRAP * shape.cache_rows))
    expected = windowed_states(model.decoder, steps, shape.window)
    many = stream_states(decoder, steps, min(MAX_STEPS, shape.cache_rows))
    single = stream_states(decoder, steps, 1)
    whole = (steps.fields, steps.role, style, steps.chord, steps.metre, steps.phrase)
    uncached = model.decoder(*(torch.from_numpy(array[None, : shape.window]) for array in whole))[0].numpy()
    heads = model.decoder.field_logits(
        *(torch.from_numpy(array) for array in (expected, target, chord, steps.metre, steps.metre))
    )
    errors = ParityErrors(
        states=_error(many, expected),
        logits=max(
            _error(
                decoder.field_logits(
                    field, expected, np.ascontiguousarray(target[:, :field]), chord, steps.metre
                ),
                logits.numpy(),
            )
            for field, logits in enumerate(heads)
        ),
        uncached=_error(single[: shape.window], uncached),
        prefill=_error(single, many),
        encoder=_encoder_error(model, phrases, steps.fields),
        theory=_theory_error(model, phrases),
        flow=_flow_error(model, phrases),
    )
    for name, error in asdict(errors).items():
        if not error <= TOLERANCE:
            raise ExportError(f"{name}: the graphs differ from the model by {error:.2g}, above {TOLERANCE:g}")
    return errors


def _encoder_error(model: TatumFlow, phrases: PhraseModel, fields: Ints) -> float:
    longest = phrases.shape.phrase_len
    lengths = sorted({1, 2, longest // 3, longest})
    padded = np.tile(np.array(ABSENT, np.int64), (len(lengths), longest, 1))
    for row, length in zip(padded, lengths, strict=True):
        row[:length] = fields[:length]
    present = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    expected = model.encoder(torch.from_numpy(padded), present)[0].numpy()
    return max(
        _error(phrases.encode(fields[:length]), mean) for length, mean in zip(lengths, expected, strict=True)
    )


def _theory_error(model: TatumFlow, phrases: PhraseModel) -> float:
    features = np.random.default_rng(2).random((8, NUM_FEATURES), np.float32)
    expected = model.theory(torch.from_numpy(features)).numpy()
    return max(_error(phrases.embed_theory(row), true) for row, true in zip(features, expected, strict=True))


def _flow_error(model: TatumFlow, phrases: PhraseModel) -> float:
    shape, rng = phrases.shape, np.random.default_rng(3)
    target = len(PARTS) * (shape.theory_dim + 1)
    widths = (shape.code_dim, shape.num_styles, shape.code_dim + 1, target)
    errors = []
    for time in (0.0, 0.4, 1.0):
        x, style, before, edit = (rng.standard_normal(width).astype(np.float32) for width in widths)
        rows = [torch.from_numpy(array)[None] for array in (x, style, before, edit)]
        velocity = model.flow(rows[0], torch.tensor([time]), *rows[1:])[0].numpy()
        errors.append(_error(phrases.velocity(x, time, style, before, edit), velocity))
    return max(errors)


def divergence(exact: Decoder, quantized: Decoder, count: int = 256) -> float:
    """Return the divergence of the quantized decoder's note distribution from the exact one, in nats a note.

    Mean Kullback-Leibler divergence over random steps, summed over the fields.
    """
    steps, _, target, chord = random_steps(exact.shape, count, seed=1)
    states = [stream_states(one, steps) for one in (exact, quantized)]
    total = 0.0
    for field in range(len(FIELDS)):
        log_p, log_q = (
            log_probabilities(one, field, state, target, chord, steps.metre)
            for one, state in zip((exact, quantized), states, strict=True)
        )
        total += float((np.exp(log_p) * (log_p - log_q)).sum(axis=-1).mean())
    return total
