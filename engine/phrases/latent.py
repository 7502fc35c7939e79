"""The code of the phrase to come: encoded from a phrase, drawn by the flow, or between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.tokens import FIELD_SIZES, PITCH, encode_notes
from tatumflow.engine.theory.features import PARTS, note_columns, notes_features, relative_to_key
from tatumflow.engine.theory.key import PITCH_CLASSES, relative_shift

FLOW_STEPS: Final = 8
"""Euler steps from noise to a code."""

_MIDDLE: Final = 0.5
"""The surprise at which codes are drawn just as the flow has learned."""

_SURPRISE: Final = 1.5
"""Scale of the noise at the most surprising end: beyond 1 the flow starts farther out than it was trained."""


@dataclass(frozen=True, eq=False)
class PhraseCode:
    """A phrase as the model sees it.

    Attributes:
        latent: Mean latent, (Z,).
        features: Its theory, (NUM_FEATURES,), at its own pitch.
        theory: Embeddings of the theory, (parts, D).
    """

    latent: Floats
    features: Floats
    theory: Floats

    @property
    def code(self) -> Floats:
        """The code that these make, (P,)."""
        return np.concatenate([self.latent, self.theory.ravel()])


def encode_phrase(model: PhraseModel, notes: Sequence[Note], key: int = 0) -> PhraseCode:
    """Encode a phrase; of a long one, its last notes.

    Args:
        model: The phrase model.
        notes: The phrase.
        key: Key of the moment, 0 to 11, relative to which it is encoded if the model encodes so.

    Raises:
        ValueError: if there are no notes.
    """
    chosen = sorted(notes, key=lambda note: (note.onset, note.pitch))[-model.shape.phrase_len :]
    if not chosen:
        raise ValueError("a phrase without notes has no encoding")
    onset, duration, pitch, velocity = note_columns(chosen)
    fields = encode_notes(onset - onset[0], duration, pitch, velocity)
    features = notes_features(chosen)
    if model.shape.relative:
        fields[:, PITCH] = in_c(fields[:, PITCH], key)
    return PhraseCode(model.encode(fields), features, embed_features(model, features, key))


def in_c(pitch: Ints, key: int) -> Ints:
    """Return pitch indices moved from a key to C by less than an octave, within the keyboard."""
    moved = pitch + relative_shift(key)
    moved = np.where(moved < 0, moved + PITCH_CLASSES, moved)
    return np.where(moved >= FIELD_SIZES[PITCH], moved - PITCH_CLASSES, moved)


def embed_features(model: PhraseModel, features: Floats, key: int) -> Floats:
    """Return the embeddings (parts, D) of features (NUM_FEATURES,), relative to a key if the model is."""
    return model.embed_theory(relative_to_key(features, key) if model.shape.relative else features)


def condition_of(model: PhraseModel, code: Floats, key: int) -> Floats:
    """Return what the decoder is told of a phrase, (P,): its code, and the key if codes are relative."""
    if not model.shape.relative:
        return code
    told = np.zeros(PITCH_CLASSES, np.float32)
    told[key] = 1.0
    return np.concatenate([code, told])


def next_code(
    model: PhraseModel,
    style: Floats,
    rng: np.random.Generator,
    *,
    before: PhraseCode | None = None,
    asked: Mapping[str, Floats] | None = None,
    surprise: float = 0.5,
    steps: int = FLOW_STEPS,
) -> Floats:
    """Draw the code of the phrase to come with the flow.

    Args:
        model: The phrase model.
        style: Weights over the style table, (S,), summing to 1. The velocities of the styles are weighted and
            summed: two styles blend, and no style with a negative weight guides (Ho and Salimans 2022,
            "Classifier-Free Diffusion Guidance"; Liu et al. 2022, "Compositional Visual Generation").
        rng: Where the noise comes from; always takes as many numbers.
        before: The phrase just played.
        asked: Wanted embeddings of theory, (D,) each, by part; the others are free.
        surprise: 0 gives the encoding of the phrase before itself, 0.5 draws as the flow has learned, 1
            starts from stronger noise; in between, the code lies between.
        steps: Euler steps.

    Returns:
        The code of a phrase, (P,) float32.
    """
    shape = model.shape
    noise = rng.standard_normal(shape.code_dim).astype(np.float32)
    told = np.zeros(shape.code_dim + 1, np.float32)
    if before is not None:
        told[:-1], told[-1] = before.code, 1.0
    wanted = _asked(shape.theory_dim, asked or {})
    start, x = 0.0, noise
    if before is not None and surprise < _MIDDLE:
        # Partial noising (as in SDEdit, Meng et al. 2022): the less noise, the nearer to what was played.
        start = 1.0 - surprise / _MIDDLE
        x = (1 - start) * noise + start * before.code
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
