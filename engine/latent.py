"""The condition of the phrase to come: encoded from a phrase, drawn by the flow, or between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tatumflow.engine.decoder import Floats
from tatumflow.engine.notes import Note
from tatumflow.engine.phrase_model import PhraseModel
from tatumflow.engine.theory.features import PARTS, note_columns, notes_features
from tatumflow.engine.tokens import encode_notes

FLOW_STEPS: Final = 8
"""Euler steps from noise to a condition."""

_MIDDLE: Final = 0.5
"""The surprise at which conditions are drawn just as the flow has learned."""

_SURPRISE: Final = 1.5
"""Scale of the noise at the most surprising end: beyond 1 the flow starts farther out than it was trained."""


@dataclass(frozen=True, eq=False)
class PhraseCode:
    """A phrase as the model sees it.

    Attributes:
        latent: Mean latent, (Z,).
        features: Its theory, (NUM_FEATURES,).
        theory: Embeddings of the theory, (parts, D).
    """

    latent: Floats
    features: Floats
    theory: Floats

    @property
    def condition(self) -> Floats:
        """The phrase condition that these make, (P,)."""
        return np.concatenate([self.latent, self.theory.ravel()])


def encode_phrase(model: PhraseModel, notes: Sequence[Note]) -> PhraseCode:
    """Encode a phrase; of a long one, its last notes.

    Raises:
        ValueError: if there are no notes.
    """
    chosen = sorted(notes, key=lambda note: (note.onset, note.pitch))[-model.shape.phrase_len :]
    if not chosen:
        raise ValueError("a phrase without notes has no encoding")
    onset, duration, pitch, velocity = note_columns(chosen)
    fields = encode_notes(onset - onset[0], duration, pitch, velocity)
    features = notes_features(chosen)
    return PhraseCode(model.encode(fields), features, model.embed_theory(features))


def next_condition(
    model: PhraseModel,
    style: Floats,
    rng: np.random.Generator,
    *,
    before: PhraseCode | None = None,
    asked: Mapping[str, Floats] | None = None,
    surprise: float = 0.5,
    steps: int = FLOW_STEPS,
) -> Floats:
    """Draw the condition of the phrase to come with the flow.

    Args:
        model: The phrase model.
        style: Weights over the style table, (S,), summing to 1. The velocities of the styles are weighted and
            summed: two styles blend, and no style with a negative weight guides (Ho and Salimans 2022,
            "Classifier-Free Diffusion Guidance"; Liu et al. 2022, "Compositional Visual Generation").
        rng: Where the noise comes from; always takes as many numbers.
        before: The phrase just played.
        asked: Wanted embeddings of theory, (D,) each, by part; the others are free.
        surprise: 0 gives the encoding of the phrase before itself, 0.5 draws as the flow has learned, 1
            starts from stronger noise; in between, the condition lies between.
        steps: Euler steps.

    Returns:
        A phrase condition, (P,) float32.
    """
    shape = model.shape
    noise = rng.standard_normal(shape.condition_dim).astype(np.float32)
    told = np.zeros(shape.condition_dim + 1, np.float32)
    if before is not None:
        told[:-1], told[-1] = before.condition, 1.0
    wanted = _asked(shape.theory_dim, asked or {})
    start, x = 0.0, noise
    if before is not None and surprise < _MIDDLE:
        # Partial noising (as in SDEdit, Meng et al. 2022): the less noise, the nearer to what was played.
        start = 1.0 - surprise / _MIDDLE
        x = (1 - start) * noise + start * before.condition
    elif surprise > _MIDDLE:
        x = noise * (1 + (_SURPRISE - 1) * (surprise - _MIDDLE) / (1 - _MIDDLE))
    rows = np.flatnonzero(style)
    alone = np.eye(len(style), dtype=np.float32)[rows]
    times = np.linspace(start, 1.0, steps + 1)
    for now, then in pairwise(times):
        velocities = [model.velocity(x, float(now), one, told, wanted) for one in alone]
        x = x + np.float32(then - now) * (style[rows] @ np.stack(velocities))
    return x.astype(np.float32)


def _asked(theory_dim: int, asked: Mapping[str, Floats]) -> Floats:
    wanted = np.zeros((len(PARTS), theory_dim), np.float32)
    named = np.zeros(len(PARTS), np.float32)
    for i, part in enumerate(PARTS):
        if part.name in asked:
            wanted[i], named[i] = asked[part.name], 1.0
    return np.concatenate([wanted.ravel(), named])
