"""Conditions of the phrases of a turn, sampled one after the other."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.phrases.latent import (
    condition_of,
    embed_features,
    encode_phrase,
    next_code,
)
from tatumflow.engine.phrases.policy import PhrasePolicy
from tatumflow.engine.theory.edits import with_chords, with_dynamics, with_pace
from tatumflow.engine.theory.features import PARTS
from tatumflow.engine.theory.key import key_of

PHRASE_NOTES: Final = 32
"""Notes after which the companion begins another phrase; the training phrases have 12 to 64."""

LATENT: Final = "latent"

_MIDDLE: Final = 0.5
"""The surprise at which codes are sampled from the flow as trained; see `latent.py`."""


class PhraseGuide:
    """Samples the condition of each phrase of a turn: the first from the call, the others from its own notes.

    A condition is relative to the key of the moment, that of the last notes of both players. The mode's
    policy selects the parts that the decoder is conditioned on.

    Has a random generator of its own, so that the sampling of notes does not depend on it.
    """

    def __init__(self, model: PhraseModel) -> None:
        self._model = model
        self._policy = PhrasePolicy()
        self._controls = Controls()
        self._style: Floats = np.zeros(model.shape.num_styles, np.float32)
        self._rng = np.random.default_rng(0)
        self._call: Sequence[Note] = ()
        self._chords: Sequence[Chord] = ()

    def begin(
        self,
        call: Sequence[Note],
        policy: PhrasePolicy,
        controls: Controls,
        style: Floats,
        chords: Sequence[Chord],
        seed: Sequence[int],
    ) -> None:
        """Begin a turn, or go on with one under new settings.

        Args:
            call: The human's phrase; may be empty.
            policy: What the mode conditions phrases on.
            controls: The player's.
            style: Style weights, (S,).
            chords: The chords to play over, in order; empty for none.
            seed: Seed of the turn's random generator.
        """
        self._policy, self._controls, self._style = policy, controls, style
        self._rng = np.random.default_rng((*seed, 1))
        self._call, self._chords = call, chords

    def first(self, pitch_classes: Ints) -> Floats | None:
        """Return the condition (P,) of a turn's first phrase; None for none.

        Args:
            pitch_classes: How often each pitch class sounded in the last notes of both players, (12,).

        Raises:
            ModelFault: if the condition is not finite.
        """
        kept_share = self._policy.kept_share
        surprise = self._controls.surprise if kept_share is None else (1 - kept_share) * _MIDDLE
        return self._sampled(self._call if self._policy.from_call else (), surprise, pitch_classes)

    def following(self, notes: Sequence[Note], pitch_classes: Ints) -> Floats | None:
        """Return the condition (P,) of the phrase after the companion's own `notes`; None for none.

        Args:
            notes: The notes of the phrase before.
            pitch_classes: How often each pitch class sounded in the last notes of both players, (12,).

        Raises:
            ModelFault: if the condition is not finite.
        """
        return self._sampled(notes or self._call, max(self._controls.surprise, _MIDDLE), pitch_classes)

    def _sampled(self, before: Sequence[Note], surprise: float, pitch_classes: Ints) -> Floats | None:
        parts = self._policy.conditions_on
        if self._model.shape.relative:
            parts += self._policy.conditions_in_key
        if before and surprise < _MIDDLE:
            parts += self._policy.conditions_near
        guidance = self._controls.guidance
        if not parts or not guidance:
            return None
        model, key = self._model, key_of(pitch_classes)
        requested = self._requested(key)
        code = next_code(
            model,
            self._style,
            self._rng,
            before=encode_phrase(model, before, key) if before else None,
            requested=requested,
            surprise=surprise,
        )
        # A requested part enters as it was encoded, not as the flow rebuilt it; a part left out is zero.
        start, width = model.shape.latent_dim, model.shape.theory_dim
        if LATENT not in parts:
            code[:start] = 0.0
        for i, part in enumerate(PARTS):
            place = slice(start + i * width, start + (i + 1) * width)
            if part.name in requested:
                code[place] = requested[part.name]
            elif part.name not in parts:
                code[place] = 0.0
        if not np.isfinite(code).all():
            raise ModelFault("model: the condition of a phrase is not finite; try another model")
        # Between no condition, zeros, and the sampled one: a pass of the decoder without it, as in
        # classifier-free guidance, would double the cost of a note.
        return np.float32(guidance) * condition_of(model, code, key)

    def _requested(self, key: int) -> dict[str, Floats]:
        """Return the embeddings of the requested parts of theory, (D,) each."""
        call, policy, controls = self._call, self._policy, self._controls
        if not call or not (policy.requests or policy.edits_harmony):
            return {}
        features: Floats = encode_phrase(self._model, call, key).features
        if "rhythm" in policy.requests and controls.pace:
            features = with_pace(features, call, 2.0**controls.pace)
        if "dynamics" in policy.requests and controls.dynamics:
            features = with_dynamics(features, call, controls.dynamics)
        names = set(policy.requests)
        if policy.edits_harmony and self._chords:
            features = with_chords(features, self._chords)
            names.add("harmony")
        embedded = embed_features(self._model, features, key)
        return {part.name: embedded[i] for i, part in enumerate(PARTS) if part.name in names}
