"""Conditions of the companion's phrases, one after the other through a turn."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.decoder import Floats
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.latent import PhraseCode, encode_phrase, next_condition
from tatumflow.engine.modes import PhrasePolicy
from tatumflow.engine.notes import Note
from tatumflow.engine.phrase_model import PhraseModel
from tatumflow.engine.theory.edits import with_chords, with_dynamics, with_pace
from tatumflow.engine.theory.features import PARTS

PHRASE_NOTES: Final = 32
"""Notes after which the companion begins another phrase; training's phrases have 12 to 64."""

_MIDDLE: Final = 0.5
"""The surprise at which phrases are drawn just as the flow has learned; see `latent.py`."""


class PhraseGuide:
    """Draws what each phrase of a turn shall be: the first from the call, the others from the style alone.

    Where no style is asked for, they are drawn from the companion's own phrase before. With a style that
    would hold it back: each phrase takes over what the one before lacks of the style, and it adds up.

    Takes its chance from a generator of its own, so that the notes' chance does not depend on it.
    """

    def __init__(self, model: PhraseModel) -> None:
        self._model = model
        self._policy = PhrasePolicy()
        self._controls = Controls()
        self._style: Floats = np.zeros(model.shape.num_styles, np.float32)
        self._rng = np.random.default_rng(0)
        self._call: PhraseCode | None = None
        self._asked: dict[str, Floats] = {}

    def begin(
        self,
        call: Sequence[Note],
        policy: PhrasePolicy,
        controls: Controls,
        style: Floats,
        chords: Sequence[Chord],
        seed: Sequence[int],
    ) -> Floats:
        """Begin a turn and return the condition (P,) of its first phrase.

        Args:
            call: The human's phrase; may be empty.
            policy: What the mode makes phrases of.
            controls: The player's.
            style: Style weights, (S,).
            chords: The chords to play over, in order; empty for none.
            seed: Seed of the turn's chance.

        Raises:
            ModelFault: if the condition is not finite.
        """
        self.use(call, policy, controls, style, chords, seed)
        return self.first()

    def use(
        self,
        call: Sequence[Note],
        policy: PhrasePolicy,
        controls: Controls,
        style: Floats,
        chords: Sequence[Chord],
        seed: Sequence[int],
    ) -> None:
        """Take what phrases are drawn from, and draw none yet; see `begin`.

        Raises:
            ModelFault: if what the model makes of the call is not finite.
        """
        self._policy, self._controls, self._style = policy, controls, style
        self._rng = np.random.default_rng((*seed, 1))
        hears = policy.from_call and not (policy.style_first and self._styled)
        self._call = encode_phrase(self._model, call) if call and hears else None
        self._asked = self._wanted(call, chords)

    def first(self) -> Floats:
        """Return the condition (P,) of a turn's first phrase.

        Raises:
            ModelFault: if it is not finite.
        """
        keeps = self._policy.keeps
        surprise = self._controls.surprise if keeps is None else (1 - keeps) * _MIDDLE
        return self._drawn(self._call, surprise)

    def following(self, notes: Sequence[Note]) -> Floats:
        """Return the condition (P,) of the phrase after the companion's own `notes`, of the turn's style.

        Raises:
            ModelFault: if it is not finite.
        """
        before = None
        if not self._styled:
            before = encode_phrase(self._model, notes) if notes else self._call
        return self._drawn(before, max(self._controls.surprise, _MIDDLE))

    @property
    def _styled(self) -> bool:
        """Return whether a style is asked for."""
        return bool(self._style[1:].any())

    def _drawn(self, before: PhraseCode | None, surprise: float) -> Floats:
        condition = next_condition(
            self._model, self._style, self._rng, before=before, asked=self._asked, surprise=surprise
        )
        # What is asked for is told as it is, not as the flow rebuilt it.
        start, width = self._model.shape.latent_dim, self._model.shape.theory_dim
        for i, part in enumerate(PARTS):
            if part.name in self._asked:
                condition[start + i * width : start + (i + 1) * width] = self._asked[part.name]
        if not np.isfinite(condition).all():
            raise ModelFault("model: the condition of a phrase is not finite; try another model")
        return condition

    def _wanted(self, call: Sequence[Note], chords: Sequence[Chord]) -> dict[str, Floats]:
        """Return the embeddings of the parts of theory that are asked for."""
        code, policy, controls = self._call, self._policy, self._controls
        if code is None:
            return {}
        features = code.features
        if "rhythm" in policy.asks and controls.pace:
            features = with_pace(features, call, 2.0**controls.pace)
        if "dynamics" in policy.asks and controls.dynamics:
            features = with_dynamics(features, call, controls.dynamics)
        names = set(policy.asks)
        if policy.edits_harmony and chords:
            features = with_chords(features, chords)
            names.add("harmony")
        embedded = self._model.embed_theory(features)
        return {part.name: embedded[i] for i, part in enumerate(PARTS) if part.name in names}
