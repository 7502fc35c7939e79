"""Phrase codes: encoded from a phrase, sampled with the flow, or between the two."""

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
"""The surprise at which codes are sampled from the flow as trained."""

_SURPRISE: Final = 1.5
"""Scale of the noise at surprise 1; the flow was trained at scale 1."""


@dataclass(frozen=True, eq=False)
class PhraseCode:
    """A phrase as the phrase model encodes it.

    Attributes:
        latent: Mean latent, (Z,).
        features: Theory features, (NUM_FEATURES,), at the phrase's own pitch.
        theory: Embeddings of the features, (parts, D).
    """

    latent: Floats
    features: Floats
    theory: Floats

    @property
    def code(self) -> Floats:
        """Latent and theory as one vector, (P,)."""
        return np.concatenate([self.latent, self.theory.ravel()])


def encode_phrase(model: PhraseModel, notes: Sequence[Note], key: int = 0) -> PhraseCode:
    """Encode a phrase, or the last `phrase_len` notes of a long one.

    Args:
        model: The phrase model.
        notes: The phrase, in any order.
        key: Key of the moment, 0 to 11; a relative model encodes the phrase as if that key were C.

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
    """Return pitch indices transposed from a key to C by less than an octave, within the keyboard."""
    moved = pitch + relative_shift(key)
    moved = np.where(moved < 0, moved + PITCH_CLASSES, moved)
    return np.where(moved >= FIELD_SIZES[PITCH], moved - PITCH_CLASSES, moved)


def embed_features(model: PhraseModel, features: Floats, key: int) -> Floats:
    """Return the embeddings (parts, D) of features (NUM_FEATURES,), relative to a key if the model is."""
    return model.embed_theory(relative_to_key(features, key) if model.shape.relative else features)


def condition_of(model: PhraseModel, code: Floats, key: int) -> Floats:
    """Return the decoder's phrase condition, (P,): the code, and the key in one-hot if codes are relative."""
    if not model.shape.relative:
        return code
    one_hot = np.zeros(PITCH_CLASSES, np.float32)
    one_hot[key] = 1.0
    return np.concatenate([code, one_hot])


def next_code(
    model: PhraseModel,
    style: Floats,
    rng: np.random.Generator,
    *,
    before: PhraseCode | None = None,
    requested: Mapping[str, Floats] | None = None,
    surprise: float = 0.5,
    steps: int = FLOW_STEPS,
) -> Floats:
    """Sample the code of the next phrase with the flow.

    Args:
        model: The phrase model.
        style: Weights over the style table, (S,), summing to 1. The velocities of the styles are weighted and
            summed: two styles blend, and no style with a negative weight guides (Ho and Salimans 2022,
            "Classifier-Free Diffusion Guidance"; Liu et al. 2022, "Compositional Visual Generation").
        rng: Random generator of the noise; each call takes equally many numbers.
        before: The phrase just played.
        requested: Requested embeddings of theory, (D,) each, by part; the other parts are free.
        surprise: 0 gives the code of the phrase before, 0.5 samples the flow as trained, 1 starts from
            stronger noise; values between interpolate.
        steps: Euler steps.

    Returns:
        The code, (P,) float32.
    """
    shape = model.shape
    noise = rng.standard_normal(shape.code_dim).astype(np.float32)
    context = np.zeros(shape.code_dim + 1, np.float32)
    if before is not None:
        context[:-1], context[-1] = before.code, 1.0
    targets = _targets(shape.theory_dim, requested or {})
    start, x = 0.0, noise
    if before is not None and surprise < _MIDDLE:
        # Partial noising (as in SDEdit, Meng et al. 2022): the less noise, the nearer to the phrase before.
        start = 1.0 - surprise / _MIDDLE
        x = (1 - start) * noise + start * before.code
    elif surprise > _MIDDLE:
        x = noise * (1 + (_SURPRISE - 1) * (surprise - _MIDDLE) / (1 - _MIDDLE))
    rows = np.flatnonzero(style)
    alone = np.eye(len(style), dtype=np.float32)[rows]
    times = np.linspace(start, 1.0, steps + 1)
    for now, then in pairwise(times):
        velocities = [model.velocity(x, float(now), one, context, targets) for one in alone]
        x = x + np.float32(then - now) * (style[rows] @ np.stack(velocities))
    return x.astype(np.float32)


def _targets(theory_dim: int, requested: Mapping[str, Floats]) -> Floats:
    """Return the flow's input for requested parts; see `PhraseModel.velocity`."""
    targets = np.zeros((len(PARTS), theory_dim), np.float32)
    present = np.zeros(len(PARTS), np.float32)
    for i, part in enumerate(PARTS):
        if part.name in requested:
            targets[i], present[i] = requested[part.name], 1.0
    return np.concatenate([targets.ravel(), present])
