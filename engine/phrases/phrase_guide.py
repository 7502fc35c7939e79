"""Conditions of the companion's phrases, one after the other through a turn."""

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
"""Notes after which the companion begins another phrase; training's phrases have 12 to 64."""

LATENT: Final = "latent"

_MIDDLE: Final = 0.5
"""The surprise at which phrases are drawn just as the flow has learned; see `latent.py`."""


class PhraseGuide:
    """Draws the condition of each phrase of a turn: the first from the call, the others from what was played.

    A condition is relative to the key of the moment, which the last notes of both players say. What of it the
    decoder is told is the mode's choice.

    Draws from a random generator of its own, so that the notes' draws do not depend on it.
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
        heard: Ints,
    ) -> Floats | None:
        """Begin a turn and return the condition (P,) of its first phrase; None for none.

        Args:
            call: The human's phrase; may be empty.
            policy: What the mode makes phrases of.
            controls: The player's.
            style: Style weights, (S,).
            chords: The chords to play over, in order; empty for none.
            seed: Seed of the turn's random draws.
            heard: How often each pitch class sounded in the last notes of both players, (12,).

        Raises:
            ModelFault: if the condition is not finite.
        """
        self.use(call, policy, controls, style, chords, seed)
        return self.first(heard)

    def use(
        self,
        call: Sequence[Note],
        policy: PhrasePolicy,
        controls: Controls,
        style: Floats,
        chords: Sequence[Chord],
        seed: Sequence[int],
    ) -> None:
        """Take what phrases are drawn from, and draw none yet; see `begin`."""
        self._policy, self._controls, self._style = policy, controls, style
        self._rng = np.random.default_rng((*seed, 1))
        self._call, self._chords = call, chords

    def first(self, heard: Ints) -> Floats | None:
        """Return the condition (P,) of a turn's first phrase; None for none.

        Args:
            heard: As `begin` takes it.

        Raises:
            ModelFault: if it is not finite.
        """
        keeps = self._policy.keeps
        surprise = self._controls.surprise if keeps is None else (1 - keeps) * _MIDDLE
        return self._drawn(self._call if self._policy.from_call else (), surprise, heard)

    def following(self, notes: Sequence[Note], heard: Ints) -> Floats | None:
        """Return the condition (P,) of the phrase after the companion's own `notes`; None for none.

        Args:
            notes: The notes of the phrase before.
            heard: As `begin` takes it.

        Raises:
            ModelFault: if it is not finite.
        """
        return self._drawn(notes or self._call, max(self._controls.surprise, _MIDDLE), heard)

    def _drawn(self, before: Sequence[Note], surprise: float, heard: Ints) -> Floats | None:
        told = self._policy.tells
        if before and surprise < _MIDDLE:
            told += self._policy.tells_near
        if not told:
            return None
        model, key = self._model, key_of(heard)
        requested = self._requested(key)
        code = next_code(
            model,
            self._style,
            self._rng,
            before=encode_phrase(model, before, key) if before else None,
            asked=requested,
            surprise=surprise,
        )
        # What is requested is told as it is, not as the flow rebuilt it; what is not told is zero.
        start, width = model.shape.latent_dim, model.shape.theory_dim
        if LATENT not in told:
            code[:start] = 0.0
        for i, part in enumerate(PARTS):
            place = slice(start + i * width, start + (i + 1) * width)
            if part.name in requested:
                code[place] = requested[part.name]
            elif part.name not in told:
                code[place] = 0.0
        if not np.isfinite(code).all():
            raise ModelFault("model: the condition of a phrase is not finite; try another model")
        return condition_of(model, code, key)

    def _requested(self, key: int) -> dict[str, Floats]:
        """Return the embeddings of the parts of theory that are requested."""
        call, policy, controls = self._call, self._policy, self._controls
        if not call or not (policy.asks or policy.edits_harmony):
            return {}
        features: Floats = encode_phrase(self._model, call, key).features
        if "rhythm" in policy.asks and controls.pace:
            features = with_pace(features, call, 2.0**controls.pace)
        if "dynamics" in policy.asks and controls.dynamics:
            features = with_dynamics(features, call, controls.dynamics)
        names = set(policy.asks)
        if policy.edits_harmony and self._chords:
            features = with_chords(features, self._chords)
            names.add("harmony")
        embedded = embed_features(self._model, features, key)
        return {part.name: embedded[i] for i, part in enumerate(PARTS) if part.name in names}
