"""Which condition each phrase of the companion's turn has, while its notes are drawn and withdrawn."""

from collections.abc import Sequence

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.phrases.phrase_guide import PHRASE_NOTES, PhraseGuide
from tatumflow.engine.phrases.policy import PhrasePolicy
from tatumflow.engine.theory.key import KEY_NOTES
from tatumflow.engine.turns.plan import Plan


class TurnPhrases:
    """Gives the session another condition every `PHRASE_NOTES` notes of a plan.

    A phrase whose notes were withdrawn begins again as it was. Where the model fails, it has no condition.

    Attributes:
        faults: Phrases left without a condition because of the model, in all turns.
    """

    def __init__(self, session: ModelSession, plan: Plan, guide: PhraseGuide | None) -> None:
        """Begin none yet.

        Args:
            session: The model's context.
            plan: The notes of the turn at hand.
            guide: Draws the conditions; without one phrases have none.
        """
        self.faults = 0
        self._session = session
        self._plan = plan
        self._guide = guide
        self._conditions: list[Floats | None] = []
        self._drawn_before = 0

    def use(self, guide: PhraseGuide | None) -> None:
        """Take the conditions from another guide, from the next beginning on."""
        self._guide = guide

    def begin(
        self,
        call: Sequence[Note],
        policy: PhrasePolicy,
        controls: Controls,
        style: Floats,
        chords: Sequence[Chord],
        seed: Sequence[int],
    ) -> Floats | None:
        """Begin a phrase with the next note, the turn's first or one on the way; see `PhraseGuide.begin`.

        Returns:
            Its condition, (P,), which the session is not told; None for none.
        """
        self._conditions.clear()
        self._drawn_before = self._plan.drawn
        if self._guide is None:
            return None
        on_the_way = self._drawn_before > 0 and not policy.asks
        first: Floats | None = None
        try:
            self._guide.use(call, policy, controls, style, chords, seed)
            if not on_the_way:
                first = self._guide.first(self._heard)
        except ModelFault:
            self.faults += 1
        if on_the_way:
            first = self._following(self._guide)
        self._conditions.append(first)
        return first

    def tell(self) -> None:
        """Tell the session the condition of the phrase that the next note belongs to."""
        if self._guide is None or not self._conditions:
            return
        index = (self._plan.drawn - self._drawn_before) // PHRASE_NOTES
        while index >= len(self._conditions):
            self._conditions.append(self._following(self._guide))
        self._session.begin_phrase(self._conditions[index])

    @property
    def _heard(self) -> Ints:
        return self._session.pitch_classes(KEY_NOTES)

    def _following(self, guide: PhraseGuide) -> Floats | None:
        try:
            return guide.following(self._plan.last_notes(PHRASE_NOTES), self._heard)
        except ModelFault:
            self.faults += 1
            return None
